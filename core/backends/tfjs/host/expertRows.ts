/**
 * The loops of cvmm sorted by expert. Every choice (token, group, slot) has one row in "sorted space",
 * where the rows of one expert are together, so that each expert is one ordinary product:
 * `spread` takes a layout's rows there, `collect` sums them back.
 */
import { slots, type Layout } from '../../../graph/ops/cvmm.ts';
import type { ExpertShape } from '../kernels/expertSpace.ts';
import type { Values } from './onHost.ts';

export interface Sorting {
  /** The row in sorted space of every choice [N·G·k]. */
  readonly place: Int32Array;
  /** The first row of every expert [G·E + 1]. */
  readonly starts: Int32Array;
}

export function sortByExpert({ groups, experts, k }: ExpertShape, indices: Values): Sorting {
  const count = indices.length;
  const choices = groups * k;
  const matrix = new Int32Array(count);
  const starts = new Int32Array(groups * experts + 1);
  for (let c = 0; c < count; c++) {
    matrix[c] = Math.floor((c % choices) / k) * experts + indices[c];
    starts[matrix[c] + 1]++;
  }
  for (let e = 0; e < groups * experts; e++) starts[e + 1] += starts[e];
  const next = starts.slice();
  const place = new Int32Array(count);
  for (let c = 0; c < count; c++) place[c] = next[matrix[c]]++;
  return { place, starts };
}

/** The row of a layout that every choice uses [N·G·k]. */
export function layoutRows({ rows, groups, k }: ExpertShape, layout: Layout): Int32Array {
  const choices = groups * k;
  const choicesPerRow = choices / slots(layout, groups, k);
  return Int32Array.from({ length: rows * choices }, (_, c) => Math.floor(c / choicesPerRow));
}

/** Rows of a layout into sorted space [N·G·k, width], times the choices' weights if given. */
export function spread(
  x: Values,
  from: Int32Array,
  { place }: Sorting,
  width: number,
  weights: Values | undefined,
): Float32Array {
  const z = new Float32Array(place.length * width);
  for (let c = 0; c < place.length; c++) {
    const weight = weights === undefined ? 1 : weights[c];
    const source = from[c] * width;
    const target = place[c] * width;
    for (let i = 0; i < width; i++) z[target + i] = weight * x[source + i];
  }
  return z;
}

/** Rows of sorted space summed into `size` values of a layout, times the weights if given. */
export function collect(
  z: Values,
  { place }: Sorting,
  to: Int32Array,
  size: number,
  width: number,
  weights: Values | undefined,
): Float32Array {
  const y = new Float32Array(size);
  for (let c = 0; c < place.length; c++) {
    const weight = weights === undefined ? 1 : weights[c];
    const source = place[c] * width;
    const target = to[c] * width;
    for (let i = 0; i < width; i++) y[target + i] += weight * z[source + i];
  }
  return y;
}

/** For every choice, the product of its rows in sorted space and in a layout: [N·G·k]. */
export function dots(
  z: Values,
  { place }: Sorting,
  x: Values,
  from: Int32Array,
  width: number,
): Float32Array {
  const products = new Float32Array(place.length);
  for (let c = 0; c < place.length; c++) {
    const a = place[c] * width;
    const b = from[c] * width;
    let sum = 0;
    for (let i = 0; i < width; i++) sum += z[a + i] * x[b + i];
    products[c] = sum;
  }
  return products;
}
