/** A run's history as a chart draws it: stretches of steps with their place on the axis and their values. */
import type { CurvePoint, CurveValidation, Run } from '../../core/contract/records.ts';
import { smooth, type Point } from '../../core/contract/smooth.ts';
import { metrics, type Axis, type Metric } from './series.ts';

/** Consecutive steps that are drawn as one. */
export interface Stretch {
  /** Middle, and the last step, on the step axis. */
  step: number;
  lastStep: number;
  /** Middle, on the axis that is shown. */
  x: number;
  low: number;
  high: number;
  mean: number;
  /** Steps in it. */
  count: number;
  /** Steps of which `low` and `high` are means: more than 1 where the record keeps no extremes. */
  per: number;
}

/** Points whose value is not a number are left out: no axis has a place for them. */
export function stretchesOf(
  points: readonly CurvePoint[],
  run: Run,
  metric: Metric,
  axis: Axis,
): Stretch[] {
  const { of } = metrics[metric];
  const stretches: Stretch[] = [];
  for (const [i, point] of points.entries()) {
    const mean = of(point, run);
    if (!Number.isFinite(mean)) continue;
    const { step, count } = point;
    const extremes = metric === 'loss';
    // Infinite extremes would be drawn nowhere; the run has failed at that step and says so.
    const low = extremes && Number.isFinite(point.lowest) ? point.lowest : mean;
    const high = extremes && Number.isFinite(point.highest) ? point.highest : mean;
    stretches.push({
      step: step - (count - 1) / 2,
      lastStep: step,
      x: middle(points, i, axis),
      ...{ low, high, mean, count },
      per: extremes ? 1 : count,
    });
  }
  return stretches;
}

/** One stretch a validation, of those that have an accuracy. */
export function accuracyStretches(validations: readonly CurveValidation[], axis: Axis): Stretch[] {
  return validations.flatMap((validation) => {
    const { step, accuracy } = validation;
    if (accuracy === null) return [];
    const values = { low: accuracy, high: accuracy, mean: accuracy };
    return [{ step, lastStep: step, x: placeOf(validation, axis), ...values, count: 1, per: 1 }];
  });
}

/** Where a validation lies on an axis. */
export function placeOf(validation: CurveValidation, axis: Axis): number {
  switch (axis) {
    case 'step':
      return validation.step;
    case 'tokens':
      return validation.trainedTokens;
    case 'time':
      return validation.elapsedSeconds;
  }
}

/** Where the middle step of a stretch lies: the record has the place of its last one. */
function middle(points: readonly CurvePoint[], i: number, axis: Axis): number {
  const point = points[i];
  const back = (point.count - 1) / 2;
  switch (axis) {
    case 'step':
      return point.step - back;
    case 'tokens':
      return point.tokens - (back * point.tokens) / point.step;
    case 'time':
      return Math.max(0, point.elapsedSeconds - (back * point.milliseconds) / 1000);
  }
}

/** A half-life's smoothed values, one a stretch. Distances are in steps whatever the axis shows. */
export function smoothed(stretches: readonly Stretch[], halfLife: number): number[] {
  const points = stretches.map(({ step, mean }): Point => [step, mean]);
  return smooth(points, halfLife, (index) => stretches[index].count).map(([, value]) => value);
}

/**
 * At most about `most` stretches of about equally many steps: neighbours become one with their lowest
 * and highest value, so that no spike disappears. Parts that are known better are not drawn denser. Up to twice
 * as many are left alone: a line of single steps says more than a band.
 */
export function condense(stretches: readonly Stretch[], most: number): readonly Stretch[] {
  if (stretches.length <= 2 * most) return stretches;
  let steps = 0;
  for (const { count } of stretches) steps += count;
  const size = Math.ceil(steps / most);
  const condensed: Stretch[] = [];
  for (let from = 0; from < stretches.length;) {
    let to = from;
    for (let count = 0; to < stretches.length && count < size; to++) count += stretches[to].count;
    condensed.push(merge(stretches, from, to));
    from = to;
  }
  return condensed;
}

function merge(stretches: readonly Stretch[], from: number, to: number): Stretch {
  const merged = { ...stretches[from] };
  let sum = 0;
  let count = 0;
  for (let i = from; i < to; i++) {
    const stretch = stretches[i];
    merged.low = Math.min(merged.low, stretch.low);
    merged.high = Math.max(merged.high, stretch.high);
    merged.per = Math.max(merged.per, stretch.per);
    sum += stretch.mean * stretch.count;
    count += stretch.count;
  }
  const last = stretches[to - 1];
  return {
    ...merged,
    step: (merged.step + last.step) / 2,
    lastStep: last.lastStep,
    x: (merged.x + last.x) / 2,
    mean: sum / count,
    count,
  };
}

/** A summary with the part between the detail's first and last step replaced by the detail. */
export function splice(
  summary: readonly CurvePoint[],
  detail: readonly CurvePoint[],
): readonly CurvePoint[] {
  const first = detail.at(0);
  const last = detail.at(-1);
  if (first === undefined || last === undefined) return summary;
  const start = first.step - first.count + 1;
  return [
    ...summary.filter(({ step }) => step < start),
    ...detail,
    ...summary.filter(({ step, count }) => step - count + 1 > last.step),
  ];
}

/** Index of the first value that is at least `x`; the length where there is none. */
export function firstAtLeast(
  length: number,
  valueOf: (index: number) => number,
  x: number,
): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (valueOf(middle) < x) low = middle + 1;
    else high = middle;
  }
  return low;
}
