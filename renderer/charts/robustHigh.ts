/** The top of a vertical axis where some values lie so far outside that they would flatten all others. */
import type { Metric } from './series.ts';

/** Of the values that are not far outside, this share decides about the axis once some are. */
const share = 0.98;
/** Losses this many times as high as where runs begin are those of a run that has diverged. */
const diverged = 1.5;
/** For other quantities: this many times the upper quartile. */
const farOutside = 20;

/**
 * Spikes stay inside; what is far outside does not decide.
 * @param values those that are to be shown, in any order
 * @param begins losses at which the runs began; empty for other metrics
 * @returns the highest value that the axis must hold
 */
export function robustHigh(
  values: readonly number[],
  metric: Metric,
  begins: readonly number[],
): number {
  const sorted = Float64Array.from(values).sort();
  const last = sorted.at(-1);
  if (last === undefined) return -Infinity;
  const fence =
    metric === 'loss'
      ? diverged * Math.max(...begins)
      : farOutside * quantile(sorted, sorted.length, 0.75);
  if (!(fence > 0) || last <= fence) return last;
  const inside = sorted.findIndex((value) => value > fence);
  return inside === 0 ? last : quantile(sorted, inside, share);
}

/** Of the first `length` values. */
function quantile(sorted: Float64Array, length: number, at: number): number {
  return sorted[Math.min(length - 1, Math.floor(at * length))];
}
