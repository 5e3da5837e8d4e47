/** What the regularisers of a router are made of, in float64: for routerLoss and its gradient. */
import type { ReferenceTensor } from '../graph.ts';
import { last, rowsOf } from '../shapes.ts';
import type { RouterLossAttributes } from './routerLoss.ts';

/** Statistics of one group of a router, over its N tokens and E experts. */
export interface RouterStatistics {
  readonly tokens: number;
  readonly experts: number;
  /** Softmax of the logits, [N, E]. */
  readonly probabilities: Float64Array;
  /** Log-sum-exp of the logits, [N]. */
  readonly lse: Float64Array;
  /** Mean over tokens of the probabilities, [E]. */
  readonly mean: Float64Array;
  /** Share of the N·k choices that fell on each expert, [E]. */
  readonly shares: Float64Array;
  /** Sum over tokens of the gates given to each expert, [E]. */
  readonly gateSums: Float64Array;
}

/** @param inputs logits [..., G·E], indices [..., G·k], gates [..., G·k] */
export function routerStatistics(
  [logits, indices, gates]: readonly ReferenceTensor[],
  { groups, k }: RouterLossAttributes,
  group: number,
): RouterStatistics {
  const tokens = rowsOf(logits.shape);
  const experts = last(logits.shape) / groups;
  const probabilities = new Float64Array(tokens * experts);
  const lse = new Float64Array(tokens);
  const [mean, shares, gateSums] = [0, 1, 2].map(() => new Float64Array(experts));
  for (let n = 0; n < tokens; n++) {
    const slot = n * groups + group;
    let top = -Infinity;
    for (let e = 0; e < experts; e++) top = Math.max(top, logits.data[slot * experts + e]);
    let sum = 0;
    for (let e = 0; e < experts; e++) {
      const exponential = Math.exp(logits.data[slot * experts + e] - top);
      probabilities[n * experts + e] = exponential;
      sum += exponential;
    }
    lse[n] = top + Math.log(sum);
    for (let e = 0; e < experts; e++) {
      probabilities[n * experts + e] /= sum;
      mean[e] += probabilities[n * experts + e] / tokens;
    }
    for (let choice = slot * k; choice < (slot + 1) * k; choice++) {
      const expert = indices.data[choice];
      shares[expert] += 1 / (tokens * k);
      gateSums[expert] += gates.data[choice];
    }
  }
  return { tokens, experts, probabilities, lse, mean, shares, gateSums };
}

/** Representable in float32, and far below any mean that matters: m log m is then zero. */
export const smallestMean = 1e-30;

/** log m of a mean selection, finite also where no token could have chosen an expert. */
export const finiteLog = (mean: number): number => Math.log(Math.max(mean, smallestMean));

/** Added to the squared mean under cv², as in MoA's code. */
export const variationEpsilon = 1e-10;

/**
 * Squared coefficient of variation of I / Σ|I| over the experts, var / (mean² + 1e-10) with the
 * unbiased variance, and its gradient with respect to I. Both are zero for one expert and for no gates.
 * @param gateSums I [E]
 */
export function squaredVariation(gateSums: Float64Array): {
  value: number;
  gradient: Float64Array;
} {
  const experts = gateSums.length;
  const total = gateSums.reduce((sum, value) => sum + Math.abs(value), 0);
  if (experts === 1 || total === 0) return { value: 0, gradient: new Float64Array(experts) };
  const shares = gateSums.map((value) => value / total);
  const mean = shares.reduce((a, b) => a + b, 0) / experts;
  const variance = shares.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (experts - 1);
  const scale = mean * mean + variationEpsilon;
  const value = variance / scale;
  // With respect to the shares first, then through the division by Σ|I|.
  const slopes = shares.map(
    (x) => (2 * (x - mean)) / (experts - 1) / scale - (2 * value * mean) / experts / scale,
  );
  const along = slopes.reduce((sum, slope, e) => sum + slope * shares[e], 0);
  const gradient = slopes.map((slope, e) => (slope - Math.sign(gateSums[e]) * along) / total);
  return { value, gradient };
}
