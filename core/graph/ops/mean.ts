import type { Op, Tensor } from '../graph.ts';
import { f32 } from '../shapes.ts';
import { broadcast } from './broadcast.ts';

/** Mean of all elements: x [...] → []. */
export const meanOp: Op<null> = {
  name: 'mean',
  infer: () => [f32()],
  backward({ inputs: [x] }, [dy]) {
    return [dy === undefined ? undefined : broadcast(dy, x.shape, 'mean')];
  },
  reference([x], [y]) {
    let sum = 0;
    for (const value of x.data) sum += value;
    y.data[0] = sum / x.data.length;
  },
};

/** See {@link meanOp}. */
export function mean(x: Tensor): Tensor {
  return x.graph.emit(meanOp, [x], null)[0];
}
