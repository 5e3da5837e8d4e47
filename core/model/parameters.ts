/** Parameters: what they are called, their shapes, and how they start. */
import { SwitchyardError } from '../contract/errors.ts';
import type { ParameterPart } from '../contract/records.ts';
import { sizeOf } from '../graph/graph.ts';
import { stream, uniform } from '../graph/random.ts';

export type Init =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'uniform'; readonly bound: number }
  | { readonly kind: 'normal'; readonly deviation: number }
  /** Cut at two deviations, then stretched so that the deviation is the given one. */
  | { readonly kind: 'truncatedNormal'; readonly deviation: number }
  /**
   * Selection matrices [D, experts]: normal, then every expert's vector (a column) brought to one
   * length while the deviation over all of them stays what it was.
   */
  | { readonly kind: 'equalColumns'; readonly deviation: number };

export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly init: Init;
  readonly part: ParameterPart;
}

/** Deviation of a unit normal cut at ±2. */
const truncatedDeviation = 0.8796256610342398;

/**
 * Starting values, a pure function of the parameter's position in the model and the seed.
 * @returns row-major values of the parameter's shape
 */
export function initialValues(parameter: Parameter, index: number, seed: number): Float32Array {
  const { init, shape } = parameter;
  const values = new Float32Array(sizeOf(shape));
  switch (init.kind) {
    case 'constant':
      return values.fill(init.value);
    case 'uniform':
      return values.map((_, i) => (2 * draw(index, i, seed) - 1) * init.bound);
    case 'normal':
      return values.map((_, i) => normal(index, i, seed) * init.deviation);
    case 'truncatedNormal':
      return values.map(
        (_, i) => truncated(index, i, seed) * (init.deviation / truncatedDeviation),
      );
    case 'equalColumns':
      return equalColumns(
        Float64Array.from(values, (_, i) => normal(index, i, seed) * init.deviation),
        shape[1],
      );
  }
}

function draw(index: number, i: number, seed: number): number {
  return uniform(stream.initialisation, index, i, seed);
}

/** Box-Muller; elements 2i and 2i + 1 use draws of their own, so that values do not depend on length. */
function normal(index: number, i: number, seed: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - draw(index, 2 * i, seed)));
  return radius * Math.cos(2 * Math.PI * draw(index, 2 * i + 1, seed));
}

/** Unit normal restricted to ±2 by redrawing; each redraw uses counters far from all others. */
function truncated(index: number, i: number, seed: number): number {
  for (let attempt = 0; attempt < 64; attempt++) {
    const value = normal(index, i + attempt * 2 ** 25, seed);
    if (Math.abs(value) <= 2) return value;
  }
  throw new SwitchyardError('internal', 'A truncated normal draw was refused 64 times.');
}

/** Columns of a row-major [D, columns] matrix brought to equal length, overall deviation kept. */
function equalColumns(values: Float64Array, columns: number): Float32Array {
  const before = deviation(values);
  const lengths = new Float64Array(columns);
  for (const [i, value] of values.entries()) lengths[i % columns] += value * value;
  const unit = values.map((value, i) => value / Math.sqrt(lengths[i % columns]));
  const factor = before / deviation(unit);
  return Float32Array.from(unit, (value) => value * factor);
}

function deviation(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
