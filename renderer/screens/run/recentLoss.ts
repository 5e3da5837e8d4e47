import { recentSteps } from '../../../core/contract/progress.ts';
import type { CurvePoint } from '../../../core/contract/records.ts';

/** Mean training loss over the last `steps` steps, or over all there are; null of none. */
export function recentLoss(points: readonly CurvePoint[], steps = recentSteps): number | null {
  let sum = 0;
  let counted = 0;
  for (let index = points.length - 1; index >= 0 && counted < steps; index--) {
    const { loss, count } = points[index];
    sum += loss * count;
    counted += count;
  }
  return counted === 0 ? null : sum / counted;
}
