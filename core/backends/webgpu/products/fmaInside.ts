/**
 * The product on f32 registers. Workgroup memory holds k steps of both factors as [k, other / 4] of
 * vec4s along the other axis, so that a thread reads its rows and columns as vectors. Factors move in
 * blocks of 4 × 4: those that lie along k in memory are transposed in registers on the way.
 */
import type { Factor, Inside, Product } from './tiledProduct.ts';
import { storeFour } from './tiledProduct.ts';
import { lines, stage } from './staging.ts';
import type { FmaTile } from './tile.ts';

const parts = ['x', 'y', 'z', 'w'];
const four = [0, 1, 2, 3];

/** One factor of a tile, as the code below names it. */
interface Side {
  readonly name: 'A' | 'B';
  readonly factor: Factor;
  /** Extent of the tile on the other axis, in vec4s. */
  readonly vectors: number;
  /** How many of the other axis exist. */
  readonly bound: string;
}

export function fmaInside(product: Product, tile: FmaTile): Inside {
  const sides: readonly [Side, Side] = [
    { name: 'A', factor: product.a, vectors: tile.m / 4, bound: '_rows' },
    { name: 'B', factor: product.b, vectors: tile.n / 4, bound: '_columns' },
  ];
  const threads = (tile.m * tile.n) / (tile.threadRows * tile.threadColumns);
  const steps = stage(
    sides.map((side) => ({
      items: (side.vectors * tile.k) / 4,
      declare: (slot) => lines(four, (j) => `var _next${slot}${j} = vec4<f32>();`),
      fetch: (item, k0, slot) => fetchBlock(side, tile, item, k0, slot),
      put: (item, slot) => putBlock(side, tile, item, slot),
    })),
    threads,
  );
  const loop = tile.prefetch
    ? `${steps.declare}
  ${steps.fetch('_kFirst')}
  for (var _k0 = _kFirst; _k0 < _kEnd; _k0 += ${tile.k}u) {
    ${steps.put}
    workgroupBarrier();
    ${steps.fetch(`(_k0 + ${tile.k}u)`)}
    ${multiply(sides, tile)}
    workgroupBarrier();
  }`
    : `for (var _k0 = _kFirst; _k0 < _kEnd; _k0 += ${tile.k}u) {
    ${steps.declare}
    ${steps.fetch('_k0')}
    ${steps.put}
    workgroupBarrier();
    ${multiply(sides, tile)}
    workgroupBarrier();
  }`;
  return {
    globals: sides
      .map(
        ({ name, vectors }) =>
          `var<workgroup> _stage${name}: array<vec4<f32>, ${vectors * tile.k}>; // [k, ${name === 'A' ? 'm' : 'n'} / 4]`,
      )
      .join('\n'),
    parameters: '',
    body: `${threadPlace(tile)}
${lines(accumulators(tile), ([row, group]) => `  var ${accumulator(row, group)} = vec4<f32>();`)}
  ${loop}
${results(product, tile)}`,
  };
}

/**
 * Where a thread's results are: 32 threads lie as 4 × 8, so that together they read few different
 * vectors of workgroup memory. `_row4` and `_column4` count vec4s.
 */
function threadPlace({ m, n, threadRows, threadColumns }: FmaTile): string {
  const down = m / threadRows;
  const across = n / threadColumns;
  const [high, wide] = [Math.min(4, down), Math.min(8, across)];
  const block = high * wide;
  return `  let _block = _thread / ${block}u;
  let _row4 = _block / ${across / wide}u * ${high}u + _thread / ${wide}u % ${high}u;
  let _column4 = _block % ${across / wide}u * ${wide}u + _thread % ${wide}u;`;
}

/** Row and group of four columns of every accumulator of a thread. */
const accumulators = ({ threadRows, threadColumns }: FmaTile): (readonly [number, number])[] =>
  Array.from({ length: threadRows }, (_, row) =>
    Array.from({ length: threadColumns / 4 }, (_, group) => [row, group] as const),
  ).flat();

const accumulator = (row: number, group: number): string => `_sum${row}_${group}`;

/** Distance of a thread's second group of four rows or columns from its first, in vec4s. */
const groupStride = (vectors: number, perThread: number): number => vectors / (perThread / 4);

/**
 * Blocks along k are stored by threads that differ in k: their vectors go to places that differ in the
 * lower bits too, or they would meet in one memory bank.
 */
function swizzle({ factor, vectors }: Side, tile: FmaTile, k4: string): string {
  if (factor.along === 'other') return '';
  const [factorOfK, bits] = tile.k >= 32 ? [1, 7] : [2, 6];
  const mask = bits & (vectors - 1);
  return ` ^ ((${k4} * ${factorOfK}u) & ${mask}u)`;
}

/** Names of a block's place: _o (other axis) and _k4 (in the tile). */
function blockPlace({ factor, vectors }: Side, tile: FmaTile, item: string): string {
  return factor.along === 'k'
    ? `let _o4 = ${item} / ${tile.k / 4}u; let _k4 = ${item} % ${tile.k / 4}u;`
    : `let _o4 = ${item} % ${vectors}u; let _k4 = ${item} / ${vectors}u;`;
}

/** Reads a block of 4 × 4 into _next{slot}{j}: vectors along the other axis, j along k. */
function fetchBlock(side: Side, tile: FmaTile, item: string, k0: string, slot: string): string {
  const { factor, bound } = side;
  const place = `${blockPlace(side, tile, item)} let _o = 4u * _o4; let _k = ${k0} + 4u * _k4;`;
  const next = (j: number) => `_next${slot}${j}`;
  const inside = (o: string, k: string) => `${o} < ${bound} && ${k} < _kEnd`;
  if (factor.width === 1)
    return `${place}
${lines(four, (j) => `{ let _kj = _k + ${j}u; ${next(j)} = vec4<f32>(); if (_kj < _kEnd) { ${four.map((i) => `if (_o + ${i}u < ${bound}) { ${next(j)}.${parts[i]} = f32(${factor.load(`(_o + ${i}u)`, '_kj')}); }`).join(' ')} } }`)}`;
  if (factor.along === 'other')
    return `${place}
${lines(four, (j) => `{ let _kj = _k + ${j}u; ${next(j)} = vec4<f32>(); if (${inside('_o', '_kj')}) { ${next(j)} = vec4<f32>(${factor.load('_o', '_kj')}); } }`)}`;
  return `${place}
${lines(four, (i) => `var _line${i} = vec4<f32>(); { let _oi = _o + ${i}u; if (${inside('_oi', '_k')}) { _line${i} = vec4<f32>(${factor.load('_oi', '_k')}); } }`)}
${lines(four, (j) => `${next(j)} = vec4<f32>(${four.map((i) => `_line${i}.${parts[j]}`).join(', ')});`)}`;
}

function putBlock(side: Side, tile: FmaTile, item: string, slot: string): string {
  return `${blockPlace(side, tile, item)} let _at = _k4 * ${4 * side.vectors}u + (_o4${swizzle(side, tile, '_k4')});
${lines(four, (j) => `_stage${side.name}[_at + ${j * side.vectors}u] = _next${slot}${j};`)}`;
}

/** All products of the k steps in workgroup memory. */
function multiply([a, b]: readonly [Side, Side], tile: FmaTile): string {
  const groups = (perThread: number) => four.slice(0, perThread / 4);
  const read = (side: Side, name: string, perThread: number, place: string, j: number) =>
    lines(
      groups(perThread),
      (group) =>
        `let ${name}${group} = _stage${side.name}[_line${side.name} + ${j * side.vectors}u + ((${place} + ${group * groupStride(side.vectors, perThread)}u)${swizzle(side, tile, '_k4')})];`,
    );
  return `for (var _k4 = 0u; _k4 < ${tile.k / 4}u; _k4++) {
      let _lineA = _k4 * ${4 * a.vectors}u;
      let _lineB = _k4 * ${4 * b.vectors}u;
${lines(
  four,
  (j) => `      {
${read(a, '_a', tile.threadRows, '_row4', j)}
${read(b, '_b', tile.threadColumns, '_column4', j)}
${lines(accumulators(tile), ([row, group]) => `${accumulator(row, group)} = fma(vec4<f32>(_a${Math.floor(row / 4)}.${parts[row % 4]}), _b${group}, ${accumulator(row, group)});`)}
      }`,
)}
    }`;
}

function results({ store }: Product, tile: FmaTile): string {
  const rowOf = (row: number) =>
    `4u * _row4 + ${(row % 4) + 4 * Math.floor(row / 4) * groupStride(tile.m / 4, tile.threadRows)}u`;
  const columnOf = (group: number) =>
    `4u * _column4 + ${4 * group * groupStride(tile.n / 4, tile.threadColumns)}u`;
  return lines(
    accumulators(tile),
    ([row, group]) =>
      `  { let _row = ${rowOf(row)}; let _first = ${columnOf(group)}; if (_row < _rows) { ${storeFour(store, '_row', '_first', accumulator(row, group))} } }`,
  );
}
