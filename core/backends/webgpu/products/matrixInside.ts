/**
 * The product on matrix units: f16 factors, f32 sums. Workgroup memory holds k steps of both factors as
 * they lie in memory, [other, k] or [k, other]; subgroup matrices are read from there, so nothing is
 * transposed by hand. Results pass through workgroup memory, one strip of unit rows of each subgroup at
 * a time, because nobody but the driver knows which thread holds which element.
 */
import { SwitchyardError } from '../../../contract/errors.ts';
import type { DeviceFacts, MatrixUnit } from '../loadWebgpu.ts';
import { lines, stage } from './staging.ts';
import { matrixPadding, resultPadding, subgroupsOf, tileThreads, type MatrixTile } from './tile.ts';
import { storeFour, type Factor, type Inside, type Product } from './tiledProduct.ts';

/** One factor of a tile, as the code below names it. */
interface Side {
  readonly name: 'A' | 'B';
  readonly factor: Factor;
  /** How many of the other axis exist. */
  readonly bound: string;
  /** Rows in workgroup memory, and elements of each before the padding. */
  readonly rows: number;
  readonly length: number;
  /** f16 elements that are moved at once: what one element of the array in workgroup memory holds. */
  readonly chunk: 4 | 8;
}

export function matrixInside(product: Product, tile: MatrixTile, facts: DeviceFacts): Inside {
  const unit = facts.matrixUnit;
  if (unit === undefined)
    throw new SwitchyardError('internal', 'A tile for matrix units was chosen without any.');
  const a = sideOf('A', product.a, tile.m, tile.k);
  const b = sideOf('B', product.b, tile.n, tile.k);
  const threads = tileThreads(tile, facts);
  const steps = stage(
    [a, b].map((side) => ({
      items: (side.rows * side.length) / side.chunk,
      declare: (slot) => `var _next${slot} = ${chunkType(side)}();`,
      fetch: (item, k0, slot) => fetchChunk(side, item, k0, slot),
      put: (item, slot) =>
        `${chunkPlace(side, item)} _stage${side.name}[_line * ${rowStride(side)}u + _chunk] = _next${slot};`,
    })),
    threads,
  );
  const k = `${String(tile.k)}u`;
  const loop = tile.prefetch
    ? `  ${steps.declare}
  ${steps.fetch('_kFirst')}
  for (var _k0 = _kFirst; _k0 < _kEnd; _k0 += ${k}) {
${steps.put}
    workgroupBarrier();
${steps.fetch(`(_k0 + ${k})`)}
${multiply(a, b, tile, unit)}
    workgroupBarrier();
  }`
    : `  for (var _k0 = _kFirst; _k0 < _kEnd; _k0 += ${k}) {
${steps.declare}
${steps.fetch('_k0')}
${steps.put}
    workgroupBarrier();
${multiply(a, b, tile, unit)}
    workgroupBarrier();
  }`;
  const across = tile.n / tile.subgroupColumns;
  return {
    // Matrices are read by rows of the whole stride, so the last one may reach past its last element.
    globals: `${lines([a, b], (side) => `var<workgroup> _stage${side.name}: array<${chunkType(side)}, ${(side.rows + 1) * rowStride(side)}>;`)}
var<workgroup> _strips: array<vec4<f32>, ${(subgroupsOf(tile) * unit.m + 1) * stripStride(tile)}>; // [subgroup, unit row, column / 4]`,
    parameters: '@builtin(subgroup_id) _subgroup: u32,',
    body: `  let _subRow = _subgroup / ${across}u * ${tile.subgroupRows}u;
  let _subColumn = _subgroup % ${across}u * ${tile.subgroupColumns}u;
${lines(units(tile, unit), ([i, j]) => `  var _sum${i}_${j} = subgroup_matrix_result<f32, ${unit.n}, ${unit.m}>();`)}
${loop}
${results(product, tile, unit, threads)}`,
  };
}

function sideOf(name: 'A' | 'B', factor: Factor, other: number, k: number): Side {
  const [rows, length] = factor.along === 'k' ? [other, k] : [k, other];
  return {
    name,
    factor,
    bound: name === 'A' ? '_rows' : '_columns',
    rows,
    length,
    chunk: factor.width === 8 ? 8 : 4,
  };
}

const chunkType = ({ chunk }: Side): string => (chunk === 8 ? 'vec4<u32>' : 'vec4<f16>');

/** Of a row in workgroup memory, in chunks. */
const rowStride = ({ length, chunk }: Side): number => (length + matrixPadding) / chunk;

/** Of a row of results, in vec4s. */
const stripStride = ({ subgroupColumns }: MatrixTile): number =>
  (subgroupColumns + resultPadding) / 4;

/** Row and column, in units, of every matrix of sums of a subgroup. */
const units = (tile: MatrixTile, unit: MatrixUnit): (readonly [number, number])[] =>
  range(tile.subgroupRows / unit.m).flatMap((i) =>
    range(tile.subgroupColumns / unit.n).map((j) => [i, j] as const),
  );

const range = (length: number): number[] => Array.from({ length }, (_, i) => i);

/** Names of a chunk's place: row and chunk in workgroup memory. */
const chunkPlace = ({ length, chunk }: Side, item: string): string =>
  `let _line = ${item} / ${length / chunk}u; let _chunk = ${item} % ${length / chunk}u;`;

/** Reads a chunk into _next{slot}, as zeros where there is nothing. */
function fetchChunk(side: Side, item: string, k0: string, slot: string): string {
  const { factor, bound, chunk } = side;
  const [o, k] =
    factor.along === 'k'
      ? ['_line', `${k0} + ${chunk}u * _chunk`]
      : [`${chunk}u * _chunk`, `${k0} + _line`];
  const start = `${chunkPlace(side, item)} let _o = ${o}; let _k = ${k}; _next${slot} = ${chunkType(side)}();`;
  if (factor.width !== 1) {
    const value = factor.load('_o', '_k');
    return `${start}
if (_o < ${bound} && _k < _kEnd) { _next${slot} = ${chunk === 8 ? value : `vec4<f16>(${value})`}; }`;
  }
  const one = (i: number) =>
    factor.along === 'k'
      ? `{ let _ki = _k + ${i}u; if (_o < ${bound} && _ki < _kEnd) { _next${slot}[${i}] = f16(${factor.load('_o', '_ki')}); } }`
      : `{ let _oi = _o + ${i}u; if (_oi < ${bound} && _k < _kEnd) { _next${slot}[${i}] = f16(${factor.load('_oi', '_k')}); } }`;
  return `${start}
${lines(range(4), one)}`;
}

/** All products of the k steps in workgroup memory, a unit's k at a time. */
function multiply(a: Side, b: Side, tile: MatrixTile, unit: MatrixUnit): string {
  const downUnits = range(tile.subgroupRows / unit.m);
  const acrossUnits = range(tile.subgroupColumns / unit.n);
  const load = (side: Side, type: string, first: string, size: number, i: number) => {
    const { along } = side.factor;
    const stride = rowStride(side);
    const other = `(${first} + ${i * size}u)`;
    const place =
      along === 'k'
        ? `${other} * ${stride}u + _step * ${unit.k / side.chunk}u`
        : `_step * ${unit.k * stride}u + ${other} / ${side.chunk}u`;
    // A is [m, k] and B is [k, n] where they are row-major.
    const order = (along === 'k') === (side.name === 'A') ? 'row_major' : 'col_major';
    return `subgroupMatrixLoad<${type}, ${order}>(&_stage${side.name}, ${place}, ${stride}u)`;
  };
  const left = `subgroup_matrix_left<f16, ${unit.k}, ${unit.m}>`;
  const right = `subgroup_matrix_right<f16, ${unit.n}, ${unit.k}>`;
  const body = `${lines(downUnits, (i) => `let _a${i} = ${load(a, left, '_subRow', unit.m, i)};`)}
${lines(
  acrossUnits,
  (j) => `{ let _b = ${load(b, right, '_subColumn', unit.n, j)};
${lines(downUnits, (i) => `_sum${i}_${j} = subgroupMatrixMultiplyAccumulate(_a${i}, _b, _sum${i}_${j});`)} }`,
)}`;
  const steps = tile.k / unit.k;
  // Small units would make a long text, and compilers of software adapters take a minute for it.
  return steps > 2
    ? `for (var _step = 0u; _step < ${steps}u; _step++) {\n${body}\n}`
    : lines(range(steps), (step) => `{ const _step = ${step}u;\n${body}\n}`);
}

/** Strip by strip: every subgroup lays one row of its matrices down, then all threads store. */
function results({ store }: Product, tile: MatrixTile, unit: MatrixUnit, threads: number): string {
  const stride = stripStride(tile);
  const across = tile.n / tile.subgroupColumns;
  const perRow = tile.subgroupColumns / 4;
  const count = subgroupsOf(tile) * unit.m * perRow;
  // Neighbouring threads store neighbouring columns, through all subgroups of a row of the tile.
  return lines(
    range(tile.subgroupRows / unit.m),
    (strip) => `  ${strip === 0 ? '' : 'workgroupBarrier();'}
${lines(range(tile.subgroupColumns / unit.n), (j) => `  subgroupMatrixStore<row_major>(&_strips, _subgroup * ${unit.m * stride}u + ${(j * unit.n) / 4}u, _sum${strip}_${j}, ${stride}u);`)}
  workgroupBarrier();
  for (var _i = _thread; _i < ${count}u; _i += ${threads}u) {
    let _line = _i / ${across * perRow}u;
    let _across = _i % ${across * perRow}u;
    let _down = _line / ${unit.m}u;
    let _row = _down * ${tile.subgroupRows}u + ${strip * unit.m}u + _line % ${unit.m}u;
    let _first = 4u * _across;
    if (_row < _rows) {
      let _four = _strips[((_down * ${across}u + _across / ${perRow}u) * ${unit.m}u + _line % ${unit.m}u) * ${stride}u + _across % ${perRow}u];
      ${storeFour(store, '_row', '_first', '_four')}
    }
  }`,
  );
}
