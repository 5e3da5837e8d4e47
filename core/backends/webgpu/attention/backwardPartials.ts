/**
 * Gradients that many sequences share (of positions, biases and the learned scale) are first added up
 * by the workgroup, into partial sums; these kernels add up the partial sums, always in one order.
 */
import type { Dispatch, Operand, Setup } from '../kernel.ts';
import { grid, perThread, threadGrid } from '../kernels/grid.ts';
import { wgslType } from '../shader.ts';
import type { BackwardOperands } from './backwardOperands.ts';
import type { PackedSizes } from './layout.ts';

/** Of biases and scale: one row for every tile of queries. */
export interface QueryPartials {
  /** [B, tiles, H, 2, P'] sums of the gradients of both terms, then [B, tiles, H] for the scale. */
  readonly operand: Operand;
  readonly biases: boolean;
  /** Tiles of queries in a sequence. */
  readonly tiles: number;
  readonly scaleStart: number;
}

/** Absent without biases and learned scale. */
export function queryPartials(
  { sizes, attributes: { given } }: BackwardOperands,
  tile: number,
  setup: Setup,
): QueryPartials | undefined {
  const { batch, length, heads, paddedWidth } = sizes;
  const biases = given.includes('contentBias') || given.includes('positionBias');
  if (!biases && !given.includes('scale')) return undefined;
  const tiles = Math.ceil(length / tile);
  const scaleStart = biases ? batch * tiles * heads * 2 * paddedWidth : 0;
  const operand = setup.scratch('f32', scaleStart + batch * tiles * heads);
  return { operand, biases, tiles, scaleStart };
}

/** d(contentBias) (part 0) or d(positionBias) (part 1), [H·P]. */
export function biasGradient(
  { operand, tiles }: QueryPartials,
  { batch, heads, width, paddedWidth }: PackedSizes,
  part: 0 | 1,
  dBias: Operand,
): Dispatch {
  const columns = heads * width;
  const [columnThreads, rowThreads] = [8, 32];
  return {
    kernel: 'attentionGrad bias',
    reads: { partials: operand },
    writes: { dBias },
    code: `
var<workgroup> sums: array<f32, ${columnThreads * rowThreads}>;
@compute @workgroup_size(${columnThreads * rowThreads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let column = group.x * ${columnThreads}u + thread % ${columnThreads}u;
  var sum = 0.0;
  if (column < ${columns}u) {
    let at = (2u * (column / ${width}u) + ${part}u) * ${paddedWidth}u + column % ${width}u;
    for (var row = thread / ${columnThreads}u; row < ${batch * tiles}u; row += ${rowThreads}u) {
      sum += partials[row * ${heads * 2 * paddedWidth}u + at];
    }
  }
  sums[thread] = sum;
  workgroupBarrier();
  if (thread < ${columnThreads}u && column < ${columns}u) {
    sum = 0.0;
    for (var i = 0u; i < ${rowThreads}u; i++) { sum += sums[i * ${columnThreads}u + thread]; }
    dBias[column] = ${wgslType(dBias)}(sum);
  }
}`,
    workgroups: grid(Math.ceil(columns / columnThreads)),
  };
}

/** d(scale) [1] of the learned scale: the partial sums are of gradient · logit, scale included. */
export function scaleGradient(
  { operand, tiles, scaleStart }: QueryPartials,
  { rows, sizes: { batch, heads, paddedLength } }: BackwardOperands,
  dScale: Operand,
): Dispatch {
  const threads = 256;
  return {
    kernel: 'attentionGrad scale',
    reads: { partials: operand, rows },
    writes: { dScale },
    code: `
var<workgroup> sums: array<f32, ${threads}>;
@compute @workgroup_size(${threads})
fn main(@builtin(local_invocation_index) thread: u32) {
  var sum = 0.0;
  for (var i = thread; i < ${batch * tiles * heads}u; i += ${threads}u) { sum += partials[${scaleStart}u + i]; }
  sums[thread] = sum;
  workgroupBarrier();
  for (var half = ${threads / 2}u; half > 0u; half /= 2u) {
    if (thread < half) { sums[thread] += sums[thread + half]; }
    workgroupBarrier();
  }
  if (thread == 0u) { dScale[0] = ${wgslType(dScale)}(sums[0] * rows[${batch * heads * paddedLength}u].y); }
}`,
    workgroups: [1, 1, 1],
  };
}

/**
 * Of positions. Blocks of queries and sources at the same distance see the same window of positions;
 * the next distance, `step` sources further, sees the next window, which begins with the last rows of
 * the one before. A workgroup adds up one window over a share of the pairs of sequence and query head.
 */
export interface PositionPartials {
  /** [windows, splits, Hk, rows, P'] */
  readonly operand: Operand;
  readonly windows: number;
  readonly splits: number;
  /** Pairs of sequence and query head, of one key head, that a workgroup adds up. */
  readonly pairs: number;
  /** Positions of a window: step + queries. */
  readonly rows: number;
  readonly step: number;
  /** Rows of the first window before the first position. */
  readonly before: number;
}

/** Workgroups that keep a large GPU busy. */
const enoughWorkgroups = 1056;

/** @param blocks queries and sources that a workgroup, or a subgroup of it, takes at once */
export function positionPartials(
  { batch, length, heads, keyHeads, paddedWidth, positions }: PackedSizes,
  blocks: { readonly queries: number; readonly sources: number },
  setup: Setup,
): PositionPartials {
  const { queries, sources: step } = blocks;
  const before = queries * Math.ceil(length / queries) - length;
  const windows = Math.ceil((positions + before) / step);
  const allPairs = (batch * heads) / keyHeads;
  const wanted = Math.max(1, Math.round(enoughWorkgroups / (windows * keyHeads)));
  const pairs = Math.ceil(allPairs / Math.min(allPairs, wanted));
  const splits = Math.ceil(allPairs / pairs);
  const rows = step + queries;
  const operand = setup.scratch('f32', windows * splits * keyHeads * rows * paddedWidth);
  return { operand, windows, splits, pairs, rows, step, before };
}

/** d(positions) [N, Hk·P]: of each row the sums of the two windows that it is in. */
export function positionGradient(
  { operand, windows, splits, rows, step, before }: PositionPartials,
  { keyHeads, width, paddedWidth, positions }: PackedSizes,
  dPositions: Operand,
): Dispatch {
  const count = positions * keyHeads * width;
  return {
    kernel: 'attentionGrad positions sum',
    reads: { partials: operand },
    writes: { dPositions },
    code: `
fn sumOf(window: u32, row: u32, h: u32, p: u32) -> f32 {
  var sum = 0.0;
  // The number of a window before the first wraps to a large one.
  if (window < ${windows}u && row < ${rows}u) {
    for (var split = 0u; split < ${splits}u; split++) {
      sum += partials[(((window * ${splits}u + split) * ${keyHeads}u + h) * ${rows}u + row) * ${paddedWidth}u + p];
    }
  }
  return sum;
}
${perThread(
  count,
  `
  let p = i % ${width}u;
  let h = i / ${width}u % ${keyHeads}u;
  let row = i / ${width * keyHeads}u + ${before}u; // from the first window's first
  let sum = sumOf(row / ${step}u, row % ${step}u, h, p) + sumOf(row / ${step}u - 1u, row % ${step}u + ${step}u, h, p);
  dPositions[i] = ${wgslType(dPositions)}(sum);`,
)}`,
    workgroups: threadGrid(count),
  };
}
