import type { Op, Tensor } from '../graph.ts';
import { f32, last, requireSame, rowsOf } from '../shapes.ts';

/** Gradient of softmax's input: its output y and dy, both [..., N] → y·(dy − Σ y·dy). */
export const softmaxGradOp: Op<null> = {
  name: 'softmaxGrad',
  infer([y, dy]) {
    requireSame(y, dy, 'softmaxGrad');
    return [f32(...y.shape)];
  },
  reference([y, dy], [dx]) {
    const width = last(y.shape);
    for (let row = 0; row < rowsOf(y.shape); row++) {
      const start = row * width;
      let dot = 0;
      for (let i = start; i < start + width; i++) dot += y.data[i] * dy.data[i];
      for (let i = start; i < start + width; i++) dx.data[i] = y.data[i] * (dy.data[i] - dot);
    }
  },
};

/** See {@link softmaxGradOp}. */
export function softmaxGrad(y: Tensor, dy: Tensor): Tensor {
  return y.graph.emit(softmaxGradOp, [y, dy], null)[0];
}
