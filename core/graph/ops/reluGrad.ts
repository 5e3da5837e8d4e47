import type { Op, Tensor } from '../graph.ts';
import { f32, requireSame } from '../shapes.ts';

/** Gradient through ReLU from its output y: dy where y > 0, else 0. Same shapes. */
export const reluGradOp: Op<null> = {
  name: 'reluGrad',
  infer([y, dy]) {
    requireSame(y, dy, 'reluGrad');
    return [f32(...y.shape)];
  },
  reference([y, dy], [dx]) {
    for (let i = 0; i < dx.data.length; i++) dx.data[i] = y.data[i] > 0 ? dy.data[i] : 0;
  },
};

/** See {@link reluGradOp}. */
export function reluGrad(y: Tensor, dy: Tensor): Tensor {
  return y.graph.emit(reluGradOp, [y, dy], null)[0];
}
