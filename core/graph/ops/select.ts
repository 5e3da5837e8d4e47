import type { Op, Tensor } from '../graph.ts';
import { f32, i32, last, lead, requireShape, rowsOf, show } from '../shapes.ts';
import { selectGrad } from './selectGrad.ts';

export interface SelectAttributes {
  /** Independent routers side by side in the last axis: the heads of SwitchHead, 1 for σ-MoE. */
  readonly groups: number;
  /** Experts chosen per group. */
  readonly k: number;
  /** What is returned of a chosen expert: the sigmoid of its logit, or the logit itself. */
  readonly weights: 'sigmoid' | 'logit';
}

/**
 * Top-k routing: raw logits [..., G·E] → expert indices [..., G·k] of i32, each in [0, E) within its
 * group, best first, ties to the lower index; and the weights of the chosen [..., G·k], not normalised:
 * sigmoid(logit) (Csordás et al. 2024, eq. 5-8) or the logits, which MoA turns into gates in other ways.
 * Gradients flow through the weights, never the choice.
 */
export const selectOp: Op<SelectAttributes> = {
  name: 'select',
  infer([logits], { groups, k }) {
    const experts = last(logits.shape) / groups;
    requireShape(
      Number.isInteger(experts) && k >= 1 && k <= experts,
      'select',
      `cannot choose ${k} in ${groups} groups of ${show(logits)}.`,
    );
    const shape = [...lead(logits.shape), groups * k];
    return [i32(...shape), f32(...shape)];
  },
  backward({ inputs: [logits], outputs: [indices, weights], attributes }, [, dWeights]) {
    if (dWeights === undefined) return [];
    const experts = last(logits.shape) / attributes.groups;
    return [selectGrad(indices, weights, dWeights, { ...attributes, experts })];
  },
  reference([logits], [indices, weights], { groups, k, weights: kind }) {
    const experts = last(logits.shape) / groups;
    const order = Array.from({ length: experts }, (_, e) => e);
    for (let slot = 0; slot < rowsOf(logits.shape) * groups; slot++) {
      const values = logits.data.subarray(slot * experts, (slot + 1) * experts);
      const best = order.toSorted((a, b) => values[b] - values[a] || a - b);
      for (let j = 0; j < k; j++) {
        indices.data[slot * k + j] = best[j];
        const logit = values[best[j]];
        weights.data[slot * k + j] = kind === 'logit' ? logit : 1 / (1 + Math.exp(-logit));
      }
    }
  },
};

/** See {@link selectOp}; `weights` are sigmoids unless given. */
export function select(
  logits: Tensor,
  attributes: Omit<SelectAttributes, 'weights'> & Partial<Pick<SelectAttributes, 'weights'>>,
): { indices: Tensor; weights: Tensor } {
  const [indices, weights] = logits.graph.emit(selectOp, [logits], {
    weights: 'sigmoid',
    ...attributes,
  });
  return { indices, weights };
}
