import type { Op, Tensor } from '../graph.ts';
import { f32, last, lead, requireShape, requireType, sameShape, show } from '../shapes.ts';
import { routerLossGrad } from './routerLossGrad.ts';
import { finiteLog, routerStatistics, squaredVariation } from './routerStatistics.ts';

export interface RouterLossAttributes {
  /** Independent routers side by side in the last axis; the loss is the mean of theirs. */
  readonly groups: number;
  /** Experts chosen per group and token. */
  readonly k: number;
  /** Weight of minus the entropy of the mean selection; every weight may be 0, which leaves its term out. */
  readonly entropy: number;
  /** Weight of the squared coefficient of variation of the gate sums. */
  readonly variation: number;
  /** Weight of the balancing loss of Switch Transformers. */
  readonly switch: number;
  /** Weight of the z-loss. */
  readonly z: number;
}

/**
 * Regularisers of a router, one scalar. Raw logits [..., G·E], indices [..., G·k] of i32 and gates
 * [..., G·k] of the chosen experts → []. Over the N tokens of a group, with p = softmax(logits) and m
 * the mean of p over tokens, the sum of
 * - entropy · Σ m log m: minus the entropy of the mean selection (Csordás et al. 2023),
 * - switch · E · Σ m f, f the share of the N·k choices that fell on an expert (Fedus et al. 2022),
 * - z · mean over tokens of (log Σ exp logit)² (Zoph et al. 2022),
 * - variation · var(I) / (mean(I)² + 1e-10), I the sums over tokens of the gates given to each expert,
 *   scaled to Σ|I| = 1, and var with E − 1 in its denominator (Shazeer et al. 2017);
 * the last three as in the code of MoA (Zhang et al. 2022). Gradients reach the logits through the
 * first three terms and the gates through the last, never the choice.
 */
export const routerLossOp: Op<RouterLossAttributes> = {
  name: 'routerLoss',
  infer([logits, indices, gates], { groups, k }) {
    requireType(indices, 'i32', 'routerLoss', 'indices');
    requireShape(
      last(logits.shape) % groups === 0 &&
        [indices, gates].every(({ shape }) =>
          sameShape(shape, [...lead(logits.shape), groups * k]),
        ),
      'routerLoss',
      `logits ${show(logits)}, indices ${show(indices)} and gates ${show(gates)} do not fit ${groups} groups of ${k} choices.`,
    );
    return [f32()];
  },
  backward({ inputs: [logits, indices, gates], attributes }, [dLoss]) {
    if (dLoss === undefined) return [];
    const [dLogits, dGates] = routerLossGrad(logits, indices, gates, dLoss, attributes);
    const { entropy, variation, switch: balance, z } = attributes;
    const throughLogits = entropy !== 0 || balance !== 0 || z !== 0;
    return [throughLogits ? dLogits : undefined, undefined, variation === 0 ? undefined : dGates];
  },
  reference(inputs, [loss], attributes) {
    const { groups, entropy, variation, switch: balance, z } = attributes;
    for (let group = 0; group < groups; group++) {
      const router = routerStatistics(inputs, attributes, group);
      const { tokens, experts, mean, shares, lse, gateSums } = router;
      let sum = variation * squaredVariation(gateSums).value;
      for (let e = 0; e < experts; e++)
        sum += mean[e] * (entropy * finiteLog(mean[e]) + balance * experts * shares[e]);
      for (const value of lse) sum += (z * value * value) / tokens;
      loss.data[0] += sum / groups;
    }
  },
};

/** See {@link routerLossOp}. */
export function routerLoss(
  logits: Tensor,
  indices: Tensor,
  gates: Tensor,
  attributes: RouterLossAttributes,
): Tensor {
  return logits.graph.emit(routerLossOp, [logits, indices, gates], attributes)[0];
}
