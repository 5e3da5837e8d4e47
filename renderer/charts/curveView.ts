/** What a chart of curves shows: from the histories of runs to the curves inside the visible range. */
import type { CurvePoint, CurveValidation, Run } from '../../core/contract/records.ts';
import type { Point } from '../../core/contract/smooth.ts';
import { automaticHalfLife } from './halfLife.ts';
import { robustHigh } from './robustHigh.ts';
import { niceStep, type Scale } from './scale.ts';
import { metrics, type Axis, type Metric } from './series.ts';
import {
  accuracyStretches,
  condense,
  firstAtLeast,
  placeOf,
  smoothed,
  stretchesOf,
  type Stretch,
} from './stretches.ts';

export interface History {
  run: Run;
  points: readonly CurvePoint[];
  validations: readonly CurveValidation[];
}

export interface ViewOptions {
  metric: Metric;
  axis: Axis;
  /** In steps; 0 does not smooth, null is about one percent of each run. */
  halfLife: number | null;
  logX: boolean;
  logY: boolean;
  /** The visible part of the x axis; null shows everything. */
  range: readonly [number, number] | null;
  /** Stretches of one curve that become fewer ones when there are more than twice as many. */
  most: number;
  /** Grid lines that there is room for. */
  rows: number;
}

export interface DrawnCurve {
  run: Run;
  /** Of its smoothing, in steps. */
  halfLife: number;
  /** Those in the visible range, and one beyond on either side. */
  stretches: readonly Stretch[];
  /** Empty where nothing is smoothed. */
  smoothed: readonly Point[];
  /** Place on the axis and loss. */
  validations: readonly Point[];
}

export interface CurveView {
  x: Scale;
  /** The x axis when everything is shown. */
  whole: Scale;
  y: Scale;
  curves: readonly DrawnCurve[];
  /** Steps at the start of which values lie above the plot; 0 where none do. */
  openingAbove: number;
  /** The highest value after the opening, where it lies above the plot; null where none does. */
  outside: number | null;
}

/** A whole history on one axis, and its smoothed values. */
export interface Traced {
  halfLife: number;
  stretches: readonly Stretch[];
  smoothed: readonly number[];
}

/** Traces histories, and keeps what it made of one until its record or the options change. */
export class Tracer {
  #kept = new Map<string, { record: readonly unknown[]; key: string; traced: Traced }>();

  trace(
    { run, points, validations }: History,
    { metric, axis, halfLife: chosen }: ViewOptions,
  ): Traced {
    const record = metric === 'accuracy' ? validations : points;
    // Grows with a live run in round values only, so that its curve does not wobble.
    const halfLife = chosen ?? automaticHalfLife(points.at(-1)?.step ?? 0);
    const key = `${metric} ${axis} ${halfLife}`;
    const kept = this.#kept.get(run.id);
    if (kept?.record === record && kept.key === key) return kept.traced;
    const stretches =
      metric === 'accuracy'
        ? accuracyStretches(validations, axis)
        : stretchesOf(points, run, metric, axis);
    const smooths = halfLife > 0 && metrics[metric].noisy;
    const traced = { halfLife, stretches, smoothed: smooths ? smoothed(stretches, halfLife) : [] };
    this.#kept.set(run.id, { record, key, traced });
    return traced;
  }
}

/** The visible part of all histories, with both axes. */
export function curveView(
  histories: readonly History[],
  options: ViewOptions,
  tracer: Tracer = new Tracer(),
): CurveView {
  const traces = histories.map((history) => tracer.trace(history, options));
  const validations = histories.map((history) => validationPoints(history, options));
  const whole = wholeScale(traces, validations, options.logX);
  const { range, logX } = options;
  const x = range === null ? whole : { low: range[0], high: range[1], log: logX };
  const curves = histories.map(({ run }, i) => ({
    run,
    halfLife: traces[i].halfLife,
    ...visible(traces[i], x, options),
    validations: within(validations[i], x),
  }));
  const begins = traces.flatMap(({ stretches }) => stretches.at(0)?.high ?? []);
  return { x, whole, ...yScale(curves, x, begins, options), curves };
}

function validationPoints({ validations }: History, { metric, axis }: ViewOptions): Point[] {
  if (metric !== 'loss') return [];
  return validations
    .filter(({ loss }) => Number.isFinite(loss))
    .map((validation): Point => [placeOf(validation, axis), validation.loss]);
}

function wholeScale(
  traces: readonly Traced[],
  validations: readonly (readonly Point[])[],
  logX: boolean,
): Scale {
  const ends = [
    ...traces.map(({ stretches }) => stretches.at(-1)?.x ?? 0),
    ...validations.map((points) => points.at(-1)?.[0] ?? 0),
  ];
  const starts = traces.flatMap(({ stretches }) => stretches.find(({ x }) => x > 0)?.x ?? []);
  const low = logX ? Math.min(...starts) : 0;
  const high = Math.max(...ends);
  if (!Number.isFinite(low) || high <= low) return { low: logX ? 1 : 0, high: 10, log: logX };
  return { low, high, log: logX };
}

function visible(
  { stretches, smoothed }: Traced,
  x: Scale,
  { most }: ViewOptions,
): Pick<DrawnCurve, 'stretches' | 'smoothed'> {
  const placeOf = (index: number): number => stretches[index].x;
  const from = Math.max(0, firstAtLeast(stretches.length, placeOf, x.low) - 1);
  const to = Math.min(stretches.length, firstAtLeast(stretches.length, placeOf, x.high) + 1);
  const line: Point[] = [];
  if (smoothed.length > 0) {
    // Every so many are enough: a smoothed curve has no spikes to lose. The last one is always there.
    const every = Math.max(1, Math.ceil((to - from) / most));
    for (let i = from; i < to; i += every) line.push([placeOf(i), smoothed[i]]);
    if (to > from && (to - 1 - from) % every !== 0) line.push([placeOf(to - 1), smoothed[to - 1]]);
  }
  return { stretches: condense(stretches.slice(from, to), most), smoothed: line };
}

function within(points: readonly Point[], x: Scale): readonly Point[] {
  const from = firstAtLeast(points.length, (index) => points[index][0], x.low);
  const to = firstAtLeast(points.length, (index) => points[index][0], x.high);
  return points.slice(Math.max(0, from - 1), to + 1);
}

/**
 * Limits that hold everything after the opening, spikes included. The plunge of the opening steps (or
 * the slow first ones) would squash what is worth seeing into a strip, and so would a run that has
 * diverged.
 */
function yScale(
  curves: readonly DrawnCurve[],
  x: Scale,
  begins: readonly number[],
  { metric, logY, range, rows }: ViewOptions,
): Pick<CurveView, 'y' | 'openingAbove' | 'outside'> {
  const last = Math.max(0, ...curves.map(({ stretches }) => stretches.at(-1)?.lastStep ?? 0));
  const opening = range === null && metrics[metric].noisy && !logY ? Math.floor(last / 20) : 0;
  let low = Infinity;
  let highest = -Infinity;
  let above = -Infinity;
  const highs: number[] = [];
  const include = (from: number, to: number): void => {
    // A logarithmic axis has no place for zero.
    if (!logY || from > 0) low = Math.min(low, from);
    highest = Math.max(highest, to);
    highs.push(to);
  };
  for (const { stretches, validations } of curves) {
    for (const stretch of stretches) {
      if (stretch.lastStep > opening) include(stretch.low, stretch.high);
      else above = Math.max(above, stretch.high);
    }
    for (const [at, loss] of validations) if (at >= x.low && at <= x.high) include(loss, loss);
  }
  if (!Number.isFinite(low) || !Number.isFinite(highest))
    return { y: { low: logY ? 0.1 : 0, high: 1, log: logY }, openingAbove: 0, outside: null };
  const clips = metrics[metric].noisy && !logY; // a logarithmic axis has room for everything
  const high = clips ? robustHigh(highs, metric, metric === 'loss' ? begins : []) : highest;
  const y = logY
    ? logLimits(low, high)
    : limits(metric === 'loss' ? low : Math.min(0, low), high, rows, unitOf(metric, high));
  return {
    y,
    openingAbove: above > y.high ? opening : 0,
    outside: highest > y.high ? highest : null,
  };
}

/** What round values are multiples of: bytes are printed in powers of 1,024. */
function unitOf(metric: Metric, high: number): number {
  if (metric !== 'tensorBytes' && metric !== 'rssBytes') return 1;
  return high < 1 ? 1 : 1024 ** Math.floor(Math.log2(high) / 10);
}

/** Whole steps of the grid around the values. */
function limits(low: number, high: number, rows: number, unit: number): Scale {
  if (high === low) {
    const room = high === 0 ? 1 : Math.abs(high) / 10;
    return { low: low === 0 ? 0 : low - room, high: high + room, log: false };
  }
  const step = niceStep({ low, high }, rows, unit);
  const round = (value: number): number => Number(value.toPrecision(12));
  return {
    low: round(Math.floor(low / step) * step),
    high: round(Math.ceil(high / step) * step),
    log: false,
    step,
  };
}

function logLimits(low: number, high: number): Scale {
  const room = (high / low) ** 0.04 * 1.01;
  return { low: low / room, high: high * room, log: true };
}
