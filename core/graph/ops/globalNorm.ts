import type { Op, Tensor } from '../graph.ts';
import { f32 } from '../shapes.ts';

/** Euclidean norm over all gradients together, loss scale taken out: lossScale [], g₁, g₂, … → []. */
export const globalNormOp: Op<null> = {
  name: 'globalNorm',
  infer: () => [f32()],
  reference([lossScale, ...gradients], [norm]) {
    let sum = 0;
    for (const { data } of gradients)
      for (const value of data) sum += (value / lossScale.data[0]) ** 2;
    norm.data[0] = Math.sqrt(sum);
  },
};

/** See {@link globalNormOp}. */
export function globalNorm(gradients: readonly Tensor[]): Tensor {
  const { graph } = gradients[0];
  return graph.emit(globalNormOp, [graph.uniform('lossScale'), ...gradients], null)[0];
}
