/** What every curve says at one place on the axis: the numbers beside the pointer. */
import type { Run } from '../../core/contract/records.ts';
import type { CurveView, DrawnCurve } from './curveView.ts';
import { shareOf } from './scale.ts';
import { firstAtLeast, type Stretch } from './stretches.ts';

export interface Reading {
  run: Run;
  stretch: Stretch;
  /** Null where nothing is smoothed. */
  smoothed: number | null;
  /** Where there is a validation close by. */
  validation: number | null;
}

/** Largest distance, as a share of the axis, at which a point still belongs to the place. */
const near = 0.012;

/** One reading a curve that reaches there, lowest value first. */
export function readingsAt(view: CurveView, x: number): Reading[] {
  return view.curves
    .flatMap((curve) => readingAt(curve, view, x) ?? [])
    .sort((a, b) => shownValue(a) - shownValue(b));
}

/** The smoothed value, or that of the point. */
export const shownValue = ({ smoothed, stretch }: Reading): number => smoothed ?? stretch.mean;

function readingAt(curve: DrawnCurve, view: CurveView, x: number): Reading | null {
  const stretch = nearest(curve.stretches, ({ x: at }) => at, x);
  if (stretch === undefined || distance(view, stretch.x, x) > Math.max(near, gap(curve, view)))
    return null;
  const smoothed = nearest(curve.smoothed, ([at]) => at, stretch.x);
  const validation = nearest(curve.validations, ([at]) => at, x);
  return {
    run: curve.run,
    stretch,
    smoothed: smoothed?.[1] ?? null,
    validation:
      validation === undefined || distance(view, validation[0], x) > near ? null : validation[1],
  };
}

/** Half of how far apart the curve's points are in this view. */
function gap({ stretches }: DrawnCurve, view: CurveView): number {
  if (stretches.length < 2) return 0;
  return distance(view, stretches[0].x, stretches[stretches.length - 1].x) / stretches.length;
}

const distance = ({ x }: CurveView, a: number, b: number): number =>
  Math.abs(shareOf(x, a) - shareOf(x, b));

function nearest<T>(list: readonly T[], place: (item: T) => number, x: number): T | undefined {
  const after = firstAtLeast(list.length, (index) => place(list[index]), x);
  const before = list[after - 1];
  const next = list[after];
  if (before === undefined || next === undefined) return before ?? next;
  return x - place(before) < place(next) - x ? before : next;
}
