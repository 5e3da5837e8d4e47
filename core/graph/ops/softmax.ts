import type { Op, Tensor } from '../graph.ts';
import { f32, last, requireShape, rowsOf } from '../shapes.ts';
import { softmaxGrad } from './softmaxGrad.ts';

/** Softmax over the last axis: x [..., N] → [..., N]. */
export const softmaxOp: Op<null> = {
  name: 'softmax',
  infer([x]) {
    requireShape(x.shape.length >= 1, 'softmax', 'x must have an axis.');
    return [f32(...x.shape)];
  },
  backward({ outputs: [y] }, [dy]) {
    return [dy === undefined ? undefined : softmaxGrad(y, dy)];
  },
  reference([x], [y]) {
    const width = last(x.shape);
    for (let row = 0; row < rowsOf(x.shape); row++) {
      const values = x.data.subarray(row * width, (row + 1) * width);
      const top = values.reduce((a, b) => Math.max(a, b), -Infinity);
      const exponentials = values.map((value) => Math.exp(value - top));
      const sum = exponentials.reduce((a, b) => a + b, 0);
      y.data.set(
        exponentials.map((value) => value / sum),
        row * width,
      );
    }
  },
};

/** See {@link softmaxOp}. */
export function softmax(x: Tensor): Tensor {
  return x.graph.emit(softmaxOp, [x], null)[0];
}
