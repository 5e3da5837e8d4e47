import type { Op, Tensor } from '../graph.ts';
import { f32, lead } from '../shapes.ts';
import type { SelectAttributes } from './select.ts';

export interface SelectGradAttributes extends SelectAttributes {
  readonly experts: number;
}

/**
 * Gradient of the routing logits: indices, weights, dWeights, all [..., G·k] → [..., G·E]. At the chosen
 * experts dw·w·(1−w) where the weights are sigmoids, dw where they are logits; zero elsewhere.
 */
export const selectGradOp: Op<SelectGradAttributes> = {
  name: 'selectGrad',
  infer: ([indices], { groups, experts }) => [f32(...lead(indices.shape), groups * experts)],
  reference([indices, weights, dWeights], [dLogits], { k, experts, weights: kind }) {
    for (let i = 0; i < indices.data.length; i++) {
      const slot = Math.floor(i / k);
      const w = weights.data[i];
      const slope = kind === 'logit' ? 1 : w * (1 - w);
      dLogits.data[slot * experts + indices.data[i]] = dWeights.data[i] * slope;
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
