/** An axis of a chart: the values it spans, how they map to the plot, and round values to label. */

export interface Scale {
  low: number;
  high: number;
  /** Equal ratios are equally far apart; `low` is above zero then. */
  log: boolean;
  /** Distance between labelled values, where the limits were chosen for it. */
  step?: number;
}

/** A value as the axis draws it: charts are given these, so that every axis of theirs is linear. */
export const project = (scale: Scale, value: number): number =>
  scale.log ? Math.log10(value) : value;

const unproject = (scale: Scale, value: number): number => (scale.log ? 10 ** value : value);

/** Where a value lies in the plot: 0 at the low end, 1 at the high one. */
export function shareOf(scale: Scale, value: number): number {
  const low = project(scale, scale.low);
  return (project(scale, value) - low) / (project(scale, scale.high) - low);
}

/** The inverse of {@link shareOf}. */
export function valueAt(scale: Scale, share: number): number {
  const low = project(scale, scale.low);
  return unproject(scale, low + share * (project(scale, scale.high) - low));
}

/** About `most` round values that lie on the axis. */
export function ticks(scale: Scale, most: number): number[] {
  if (scale.log) return logTicks(scale, most);
  return multiples(scale, scale.step ?? niceStep(scale, most));
}

/** Round lengths of time, for axes in seconds. */
export function timeTicks(scale: Scale, most: number): number[] {
  if (scale.log) return logTimeTicks(scale, most);
  const step = timeSteps.find((seconds) => (scale.high - scale.low) / seconds <= most);
  return multiples(scale, step ?? niceStep(scale, most, 86_400));
}

/** About threefold steps, which are round in seconds, minutes, hours or days. */
function logTimeTicks({ low, high }: Scale, most: number): number[] {
  const round = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30];
  const times = [
    ...round,
    ...[1, 3, 10, 30].map((minutes) => minutes * minute),
    ...[1, 3, 10, 24, 72, 240, 720, 2400, 8760].map((hours) => hours * hour),
  ].filter((seconds) => seconds >= low && seconds <= high);
  return times.filter((_, i) => i % Math.max(1, Math.ceil(times.length / most)) === 0);
}

const minute = 60;
const hour = 3600;
const timeSteps = [
  ...[0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30],
  ...[1, 2, 5, 10, 20, 30].map((minutes) => minutes * minute),
  ...[1, 2, 3, 6, 12, 24].map((hours) => hours * hour),
];

/** The smallest of 1, 2, 5 times a power of ten (of `unit`) that needs no more than `most` steps. */
export function niceStep(
  { low, high }: Pick<Scale, 'low' | 'high'>,
  most: number,
  unit = 1,
): number {
  const least = Math.max((high - low) / most / unit, Number.MIN_VALUE * 1e20);
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5].find((candidate) => candidate * power >= least * 0.999_999) ?? 10;
  return factor * power * unit;
}

function multiples({ low, high }: Scale, step: number): number[] {
  const values: number[] = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++)
    values.push(Number((k * step).toPrecision(12)));
  return values;
}

/** As many of the digits of each decade as there is room for; within a decade, plain multiples. */
function logTicks(scale: Scale, most: number): number[] {
  const { low, high } = scale;
  for (const digits of [[1, 2, 3, 5], [1, 3], [1]]) {
    const values: number[] = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++)
      values.push(
        ...digits
          .map((digit) => Number(`${digit}e${power}`))
          .filter((value) => value >= low * 0.999_999 && value <= high * 1.000_001),
      );
    if (values.length < 3) return multiples(scale, niceStep(scale, most));
    if (values.length <= most) return values;
    if (digits.length === 1)
      return values.filter((_, i) => i % Math.ceil(values.length / most) === 0);
  }
  return [];
}
