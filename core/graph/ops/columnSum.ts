import type { Op, Tensor } from '../graph.ts';
import { f32, last } from '../shapes.ts';

/** Sum over all leading axes: x [..., N] → [N]. The gradient of a bias. */
export const columnSumOp: Op<null> = {
  name: 'columnSum',
  infer: ([x]) => [f32(last(x.shape))],
  reference([x], [y]) {
    const width = y.data.length;
    for (let i = 0; i < x.data.length; i++) y.data[i % width] += x.data[i];
  },
};

/** See {@link columnSumOp}. */
export function columnSum(x: Tensor): Tensor {
  return x.graph.emit(columnSumOp, [x], null)[0];
}
