import { sizeOf, type Op, type Tensor } from '../graph.ts';
import { f32, requireShape } from '../shapes.ts';

export interface BroadcastAttributes {
  readonly shape: readonly number[];
  readonly factor: number;
}

/** A scalar times `factor`, repeated to `shape`. */
export const broadcastOp: Op<BroadcastAttributes> = {
  name: 'broadcast',
  infer([x], { shape }) {
    requireShape(x.shape.length === 0, 'broadcast', 'x must be a scalar.');
    return [f32(...shape)];
  },
  reference([x], [y], { factor }) {
    y.data.fill(factor * x.data[0]);
  },
};

/** See {@link broadcastOp}. `'mean'` divides by the number of elements, as the gradient of a mean does. */
export function broadcast(x: Tensor, shape: readonly number[], factor: number | 'mean'): Tensor {
  const value = factor === 'mean' ? 1 / sizeOf(shape) : factor;
  return x.graph.emit(broadcastOp, [x], { shape, factor: value })[0];
}
