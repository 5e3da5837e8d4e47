import type { Op, Tensor } from '../graph.ts';
import { f32 } from '../shapes.ts';
import type { RouterLossAttributes } from './routerLoss.ts';
import { finiteLog, routerStatistics, squaredVariation } from './routerStatistics.ts';

/**
 * Backward pass of routerLoss: logits [..., G·E], indices [..., G·k], gates [..., G·k], dLoss [] →
 * dLogits [..., G·E] of the entropy, switch and z terms, dGates [..., G·k] of the variation.
 */
export const routerLossGradOp: Op<RouterLossAttributes> = {
  name: 'routerLossGrad',
  infer: ([logits, , gates]) => [f32(...logits.shape), f32(...gates.shape)],
  reference(inputs, [dLogits, dGates], attributes) {
    const { groups, k, entropy, variation, switch: balance, z } = attributes;
    const [, indices, , dLoss] = inputs;
    for (let group = 0; group < groups; group++) {
      const router = routerStatistics(inputs, attributes, group);
      const { tokens, experts, probabilities, mean, shares, lse } = router;
      const variationSlope = squaredVariation(router.gateSums).gradient;
      // Slope of the loss by m; the 1 of (m log m)′ = log m + 1 drops out in the softmax.
      const slopes = mean.map((m, e) => entropy * finiteLog(m) + balance * experts * shares[e]);
      for (let n = 0; n < tokens; n++) {
        const slot = n * groups + group;
        let average = 0;
        for (let e = 0; e < experts; e++) average += probabilities[n * experts + e] * slopes[e];
        const level = 2 * z * lse[n] - average;
        const factor = dLoss.data[0] / groups / tokens;
        for (let e = 0; e < experts; e++)
          dLogits.data[slot * experts + e] =
            factor * probabilities[n * experts + e] * (slopes[e] + level);
        for (let choice = slot * k; choice < (slot + 1) * k; choice++)
          dGates.data[choice] =
            ((dLoss.data[0] * variation) / groups) * variationSlope[indices.data[choice]];
      }
    }
  },
};

/** See {@link routerLossGradOp}: [dLogits, dGates]. */
export function routerLossGrad(
  logits: Tensor,
  indices: Tensor,
  gates: Tensor,
  dLoss: Tensor,
  attributes: RouterLossAttributes,
): readonly Tensor[] {
  return logits.graph.emit(routerLossGradOp, [logits, indices, gates, dLoss], attributes);
}
