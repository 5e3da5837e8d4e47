import type { Op, Tensor } from '../graph.ts';
import { f32, lead } from '../shapes.ts';

export interface SelectGradAttributes {
  readonly groups: number;
  readonly k: number;
  readonly experts: number;
}

/**
 * Gradient of the routing logits: indices, weights, dWeights, all [..., G·k] → [..., G·E]; dw·w·(1−w) at
 * the chosen experts, zero elsewhere.
 */
export const selectGradOp: Op<SelectGradAttributes> = {
  name: 'selectGrad',
  infer: ([indices], { groups, experts }) => [f32(...lead(indices.shape), groups * experts)],
  reference([indices, weights, dWeights], [dLogits], { k, experts }) {
    for (let i = 0; i < indices.data.length; i++) {
      const slot = Math.floor(i / k);
      const w = weights.data[i];
      dLogits.data[slot * experts + indices.data[i]] = dWeights.data[i] * w * (1 - w);
    }
  },
};

/** See {@link selectGradOp}. */
export function selectGrad(
  indices: Tensor,
  weights: Tensor,
  dWeights: Tensor,
  attributes: SelectGradAttributes,
): Tensor {
  return indices.graph.emit(selectGradOp, [indices, weights, dWeights], attributes)[0];
}
