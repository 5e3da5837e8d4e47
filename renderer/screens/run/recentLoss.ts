import { recentSteps } from '../../../core/contract/progress.ts';
import type { CurvePoint } from '../../../core/contract/records.ts';

/** Steps that a loss which falls quickly at first is the mean of: a tenth of those so far. */
export const lossWindow = (steps: number): number =>
  Math.max(1, Math.min(recentSteps, Math.floor(steps / 10)));

/**
 * Mean training loss over the last `steps` steps, or over all there are, and how many it is over:
 * more where a point of the curve stands for several. Null of none.
 */
export function recentLoss(
  points: readonly CurvePoint[],
  steps: number,
): { mean: number; over: number } | null {
  let sum = 0;
  let over = 0;
  for (let index = points.length - 1; index >= 0 && over < steps; index--) {
    const { loss, count } = points[index];
    sum += loss * count;
    over += count;
  }
  return over === 0 ? null : { mean: sum / over, over };
}
