/**
 * Logits of a tile of queries × sources by the ordinary arithmetic of the GPU: each thread has 4 × 4
 * of them in registers, queries t = y + Y·i and sources s = x + X·j. Their relative positions are
 * s − t = x − y + X·j − Y·i: few different ones, which the thread reads from a window of consecutive
 * rows, so the position term costs no more than the content term and needs no shift afterwards.
 */
import type { Operand } from '../kernel.ts';
import type { DeviceFacts } from '../loadWebgpu.ts';
import { margin, type PackedInputs, type PackedSizes } from './layout.ts';

/** Logits of a thread in each direction. */
const side = 4;
const four = [0, 1, 2, 3] as const;

export interface Tile {
  /** X and Y: threads across sources and across queries. */
  readonly x: number;
  readonly y: number;
  readonly queries: number;
  readonly sources: number;
  /** Vectors of four elements of each row that are in workgroup memory at once. */
  readonly chunk: number;
  /** Vectors from row to row there: odd, so that rows lie in different banks. */
  readonly stride: number;
  /** Where queries, position queries, keys and the window of positions begin there, in rows. */
  readonly rows: {
    readonly positionQueries: number;
    readonly keys: number;
    readonly window: number;
  };
  /** Vectors of all of them. */
  readonly staged: number;
}

const shapes: readonly (readonly [number, number])[] = [
  [16, 16],
  [8, 16],
  [8, 8],
  [4, 8],
];

/**
 * The largest tile that fits into workgroup memory.
 * @param others bytes that the kernel needs besides, for a tile
 */
export function chooseTile(
  packed: PackedInputs,
  { workgroupBytes, invocations }: DeviceFacts,
  others: (tile: Tile) => number,
): Tile {
  const tiles = shapes.flatMap(([x, y]) => [4, 2, 1].map((chunk) => tileOf(x, y, chunk, packed)));
  return (
    tiles.find(
      (tile) => tile.x * tile.y <= invocations && 16 * tile.staged + others(tile) <= workgroupBytes,
    ) ?? tiles[tiles.length - 1]
  );
}

function tileOf(x: number, y: number, largest: number, packed: PackedInputs): Tile {
  const [queries, sources] = [side * y, side * x];
  const vectors = packed.sizes.paddedWidth / 4;
  const chunk = Math.ceil(vectors / Math.ceil(vectors / largest));
  const stride = chunk + 1 - (chunk % 2);
  const ownPositionQueries = hasOwnPositionQueries(packed) ? queries : 0;
  const keys = queries + ownPositionQueries;
  const window = keys + sources;
  const staged = stride * (window + (packed.positions ? queries + sources : 0));
  const positionQueries = ownPositionQueries > 0 ? queries : 0;
  return { x, y, queries, sources, chunk, stride, rows: { positionQueries, keys, window }, staged };
}

const hasOwnPositionQueries = ({ queries, positionQueries }: PackedInputs): boolean =>
  positionQueries !== undefined && positionQueries.offset !== queries.offset;

/** The packed operands that {@link logitsCode} reads, in vectors. */
export function logitOperands(packed: PackedInputs): Record<string, Operand> {
  const { queries, keys, positions, positionQueries } = packed;
  const operands = {
    queries,
    keys,
    ...(positions && { positions }),
    ...(positionQueries && hasOwnPositionQueries(packed) && { positionQueries }),
  };
  return Object.fromEntries(
    Object.entries(operands).map(([name, operand]) => [name, { ...operand, vector: 4 }]),
  );
}

/** WGSL: numbers of a workgroup. In scope after: b, h, keyHead, and the first query t0. */
export function groupCode(
  { length, heads, keyHeads }: PackedSizes,
  tile: Tile,
  group: string,
): string {
  const tiles = Math.ceil(length / tile.queries);
  return `
  // The last queries see most when it is causal: they begin first.
  let t0 = (${tiles - 1}u - ${group} % ${tiles}u) * ${tile.queries}u;
  let h = ${group} / ${tiles}u % ${heads}u;
  let b = ${group} / ${tiles * heads}u;
  let keyHead = ${keyHeads === 1 ? '0u' : 'h'};
  let x = thread % ${tile.x}u;
  let y = thread / ${tile.x}u;`;
}

/** Rows of what is saved, see `rows` of AttentionSizes: WGSL of the number of a query's row. */
export const savedRowCode = ({ batch, length, heads, keyHeads }: PackedSizes, t: string): string =>
  keyHeads === 1
    ? `((b * ${heads}u + h) * ${length}u + ${t})`
    : `((h * ${batch}u + b) * ${length}u + ${t})`;

/** WGSL: first and end of the sources that sequence b makes visible. */
export const visibleCode = ({ source }: PackedSizes, given: boolean): string =>
  given
    ? `vec2u(min(u32(max(visible[2u * b], 0)), ${source - 1}u), min(u32(max(visible[2u * b + 1u], 0)), ${source}u))`
    : `vec2u(0u, ${source}u)`;

/** WGSL: one past the last source that query t sees. */
export function endCode({ length, source }: PackedSizes, causal: boolean, t: string): string {
  const most = `${source - length + 1}u + min(${t}, ${length - 1}u)`;
  return causal ? `min(seen.y, ${most})` : 'seen.y';
}

/** WGSL: the declaration of the rows in workgroup memory. */
export const stagedCode = ({ staged }: Tile): string =>
  `var<workgroup> staged: array<vec4<f32>, ${staged}>;`;

/**
 * WGSL: logits of the tile that begins at query t0 and source s0, in variables c0 … c3 (vec4 over j)
 * for i = 0 … 3. Begins and ends with a barrier around the use of `staged`.
 */
export function logitsCode(packed: PackedInputs, tile: Tile): string {
  const { sizes, positions } = packed;
  const { chunk } = tile;
  const vectors = sizes.paddedWidth / 4;
  return `
${four.map((i) => `  var c${i} = vec4<f32>();`).join('\n')}
  for (var chunk = 0u; chunk < ${vectors}u; chunk += ${chunk}u) {
    workgroupBarrier();
${stageLoops(packed, tile)}
    workgroupBarrier();
    for (var p = 0u; p < ${chunk}u; p++) {
${four.map((i) => readStaged(`q${i}`, `y + ${tile.y * i}u`, tile)).join('\n')}
${four.map((j) => readStaged(`k${j}`, `${tile.rows.keys}u + x + ${tile.x * j}u`, tile)).join('\n')}
${products((_, j) => `k${j}`)}
${positions ? positionTerm(tile) : ''}
    }
  }
  workgroupBarrier();`;
}

const readStaged = (name: string, row: string, { stride }: Tile): string =>
  `      let ${name} = staged[(${row}) * ${stride}u + p];`;

/** The term of relative positions; a thread's logits have few different ones. */
function positionTerm(tile: Tile): string {
  const { x, y, queries, rows } = tile;
  const apart = (i: number, j: number): number => x * j - y * i;
  const different = [...new Set(four.flatMap((i) => four.map((j) => apart(i, j))))];
  const name = (distance: number): string => `r${distance + side * y}`;
  const ownQueries = rows.positionQueries > 0;
  return [
    ...different.map((distance) =>
      readStaged(name(distance), `${rows.window + queries - 1 + distance}u + x - y`, tile),
    ),
    ...(ownQueries
      ? four.map((i) => readStaged(`w${i}`, `${rows.positionQueries + y * i}u + y`, tile))
      : []),
    products((i, j) => name(apart(i, j)), ownQueries ? 'w' : 'q'),
  ].join('\n');
}

/** c[i][j] += query i · row(i, j), over four elements. */
function products(row: (i: number, j: number) => string, query = 'q'): string {
  const lines = four.flatMap((i) =>
    ['x', 'y', 'z', 'w'].map((e) => {
      const others = four.map((j) => `${row(i, j)}.${e}`).join(', ');
      return `      c${i} = fma(vec4<f32>(${query}${i}.${e}), vec4<f32>(${others}), c${i});`;
    }),
  );
  return lines.join('\n');
}

/** Copies a chunk of all rows to workgroup memory; beyond the width come zeros. */
function stageLoops(packed: PackedInputs, tile: Tile): string {
  const { sizes, positions } = packed;
  const { paddedLength, paddedSource, paddedPositions, length, heads, keyHeads } = sizes;
  const { queries, sources, rows } = tile;
  const query = `((b * ${heads}u + h) * ${paddedLength}u + t0)`;
  const key = `((b * ${keyHeads}u + keyHead) * ${paddedSource}u + s0)`;
  const window = `(keyHead * ${paddedPositions}u + ${margin + length - queries}u + s0 - t0)`;
  return [
    stageLoop('queries', query, queries, 0, packed, tile),
    rows.positionQueries > 0
      ? stageLoop('positionQueries', query, queries, rows.positionQueries, packed, tile)
      : '',
    stageLoop('keys', key, sources, rows.keys, packed, tile),
    positions ? stageLoop('positions', window, queries + sources, rows.window, packed, tile) : '',
  ].join('\n');
}

function stageLoop(
  array: string,
  firstRow: string,
  count: number,
  at: number,
  { sizes }: PackedInputs,
  { chunk, stride, x, y }: Tile,
): string {
  const vectors = sizes.paddedWidth / 4;
  const value = `vec4<f32>(${array}[(${firstRow} + row) * ${vectors}u + p])`;
  const read =
    vectors % chunk === 0
      ? `    staged[at] = ${value};`
      : `    if (p < ${vectors}u) { staged[at] = ${value}; } else { staged[at] = vec4<f32>(); }`;
  return `
    for (var i = thread; i < ${count * chunk}u; i += ${x * y}u) {
      let row = i / ${chunk}u;
      let p = chunk + i % ${chunk}u;
      let at = (${at}u + row) * ${stride}u + i % ${chunk}u;
  ${read}
    }`;
}
