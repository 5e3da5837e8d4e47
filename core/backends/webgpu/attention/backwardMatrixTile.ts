/**
 * Tiles of attention's gradient on matrix units: f16 operands, f32 sums. A subgroup has as many
 * queries as a matrix has rows and `sources` sources; a workgroup has several subgroups. Operands are
 * read as matrices straight from the packed ranges: the tiles that a workgroup reads again come from
 * its cache, and workgroup memory is left for what threads and matrices hand to each other.
 *
 * Of the products with positions only those of rows s − t are used: a subgroup multiplies its queries
 * with all rows that it needs, sources + unit − 1, and each thread takes the number that lies s − t
 * further.
 */
import type { DeviceFacts } from '../loadWebgpu.ts';
import { sequenceText, type BackwardOperands } from './backwardOperands.ts';
import { margin } from './layout.ts';

export interface MatrixTile {
  /** Rows, columns and depth of a matrix. */
  readonly unit: number;
  readonly subgroup: number;
  readonly subgroups: number;
  /** Of a workgroup: unit · subgroups. */
  readonly queries: number;
  readonly sources: number;
  /** Threads that share a row. */
  readonly parts: number;
  /** Threads of a workgroup. */
  readonly threads: number;
  readonly hasPositions: boolean;
  /** Columns of `area`, where threads see products: window, logits, dy·v; see {@link memoryText}. */
  readonly columns: { readonly logits: number; readonly products: number };
  /** From row to row in workgroup memory, in elements. */
  readonly strides: {
    readonly area: number;
    readonly weights: number;
    readonly skewed: number;
    readonly transposed: number;
  };
}

/** Beyond this width the matrices of a subgroup would not fit into its registers. */
const mostWidth = 128;

/** The tile for matrix units, or undefined where they do not suit. */
export function chooseMatrixTile(
  { sizes, starts }: Pick<BackwardOperands, 'sizes' | 'starts'>,
  { matrixUnit, subgroup, invocations, workgroupBytes }: DeviceFacts,
): MatrixTile | undefined {
  if (matrixUnit === undefined || subgroup === undefined) return undefined;
  const { m: unit, n, k } = matrixUnit;
  const parts = subgroup / unit;
  if (unit !== n || unit !== k || ![1, 2, 4].includes(parts) || (unit !== 8 && unit !== 16))
    return undefined;
  if (Math.max(sizes.paddedWidth, sizes.paddedValueWidth) > mostWidth) return undefined;
  return [4, 2, 1]
    .map((subgroups) => matrixTile(unit, subgroup, subgroups, starts.positions !== undefined))
    .find(
      (tile) =>
        tile.sources / parts >= 4 &&
        tile.threads <= invocations &&
        tileBytes(tile) <= workgroupBytes,
    );
}

function matrixTile(
  unit: number,
  subgroup: number,
  subgroups: number,
  hasPositions: boolean,
): MatrixTile {
  const sources = subgroups === 1 ? unit : 2 * unit;
  const window = hasPositions ? sources + unit : 0;
  // An odd number of vectors of four, so that the rows of a column lie in different banks.
  const vectors = (window + 2 * sources) / 4;
  return {
    unit,
    subgroup,
    subgroups,
    queries: unit * subgroups,
    sources,
    parts: subgroup / unit,
    threads: subgroup * subgroups,
    hasPositions,
    columns: { logits: window, products: window + sources },
    strides: {
      area: 4 * (vectors % 2 === 0 ? vectors + 1 : vectors + 2),
      weights: sources + 8,
      skewed: sources + unit + 8,
      transposed: unit * subgroups + 8,
    },
  };
}

// Matrices are bounds-checked by rows of the whole stride: one row is to spare.
const rowsOf = ({ queries }: MatrixTile): number => queries + 1;

function tileBytes(tile: MatrixTile): number {
  const { area, weights, skewed, transposed } = tile.strides;
  const queryPass = rowsOf(tile) * (2 * weights + (tile.hasPositions ? 2 * skewed : 0));
  const keyPass = 2 * (tile.sources + 1) * 2 * transposed;
  return 4 * rowsOf(tile) * area + Math.max(queryPass, keyPass) + 64;
}

/** WGSL types of matrices, which name columns before rows. */
export function matrixTypes({ unit }: MatrixTile): Record<'left' | 'right' | 'result', string> {
  return {
    left: `subgroup_matrix_left<f16, ${unit}, ${unit}>`,
    right: `subgroup_matrix_right<f16, ${unit}, ${unit}>`,
    result: `subgroup_matrix_result<f32, ${unit}, ${unit}>`,
  };
}

export const list = (count: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => i);
export const lines = (count: number, line: (i: number) => string): string =>
  list(count).map(line).join('\n');

/** What of the weights in workgroup memory a pass needs: the left factors of its products. */
export interface Needs {
  /** Gradients of logits [queries, sources]. */
  readonly gradients?: true;
  /** Gradient (t, s) in row t, column s − t + unit − 1, with s and t as their subgroup counts them. */
  readonly skewed?: true;
  /** [sources, queries] */
  readonly probabilities?: true;
  /** [sources, queries] */
  readonly transposedGradients?: true;
  /** `skewed` with rows and columns exchanged. */
  readonly transposedSkewed?: true;
}

/** WGSL at the module's level: workgroup memory and places in the packed operands. */
export function memoryText(
  { sizes, attributes, starts }: BackwardOperands,
  tile: MatrixTile,
  needs: Needs,
): string {
  const { heads, keyHeads, length } = sizes;
  const { area, weights, skewed, transposed } = tile.strides;
  const rows = rowsOf(tile);
  const [width, valueWidth] = [sizes.paddedWidth, sizes.paddedValueWidth];
  return `
var<workgroup> area: array<vec4<f32>, ${(rows * area) / 4}>;
${needs.probabilities ? `var<workgroup> probabilities: array<f16, ${(tile.sources + 1) * transposed}>;` : ''}
${needs.gradients ? `var<workgroup> gradients: array<vec4<f16>, ${(rows * weights) / 4}>;` : ''}
${needs.transposedGradients ? `var<workgroup> transposedGradients: array<f16, ${(tile.sources + 1) * transposed}>;` : ''}
${needs.skewed ? `var<workgroup> skewed: array<f16, ${rows * skewed}>;` : ''}
${needs.transposedSkewed ? `var<workgroup> transposedSkewed: array<f16, ${(tile.sources + tile.unit + 1) * transposed}>;` : ''}
${sequenceText({ sizes, attributes })}
// Where rows of packed operands begin.
fn queryRow(b: u32, h: u32, t: u32) -> u32 { return (b * ${heads}u + h) * ${sizes.paddedLength}u + t; }
fn keyRow(b: u32, h: u32, s: i32) -> u32 {
  // Sources that there are not have no weight, whatever is read for them.
  return (b * ${keyHeads}u + keyHeadOf(h)) * ${sizes.paddedSource}u + u32(clamp(s, 0, ${sizes.paddedSource - tile.unit}));
}
fn queryAt(b: u32, h: u32, t: u32) -> u32 { return ${4 * starts.queries}u + queryRow(b, h, t) * ${width}u; }
fn positionQueryAt(b: u32, h: u32, t: u32) -> u32 { return ${4 * starts.positionQueries}u + queryRow(b, h, t) * ${width}u; }
fn dyAt(b: u32, h: u32, t: u32) -> u32 { return queryRow(b, h, t) * ${valueWidth}u; }
fn keyAt(b: u32, h: u32, s: i32) -> u32 { return ${4 * starts.keys}u + keyRow(b, h, s) * ${width}u; }
fn valueAt(b: u32, h: u32, s: i32) -> u32 { return ${4 * starts.values}u + keyRow(b, h, s) * ${valueWidth}u; }
// The position of source s0 and the last query of the ${tile.unit} from t0.
fn windowAt(h: u32, s0: i32, t0: u32) -> u32 {
  let row = u32(s0 + ${length - tile.unit + margin} - i32(t0));
  return ${4 * (starts.positions ?? 0)}u + (keyHeadOf(h) * ${sizes.paddedPositions}u + row) * ${width}u;
}`;
}

/** WGSL: the matrices of a subgroup's queries from t0: `q`, `w` (of positions) and `d` (of dy). */
export function queryMatrices({ sizes, starts }: BackwardOperands, tile: MatrixTile): string {
  const { left } = matrixTypes(tile);
  const load = (name: string, array: string, at: string, width: number): string => `
    let ${name}At = ${at};
${lines(
  width / tile.unit,
  (p) =>
    `    let ${name}${p} = subgroupMatrixLoad<${left}, row_major>(&${array}, ${name}At + ${p * tile.unit}u, ${width}u);`,
)}`;
  const hasOwn = tile.hasPositions && starts.positionQueries !== starts.queries;
  return `${load('q', 'packed', 'queryAt(b, h, t0)', sizes.paddedWidth)}
${hasOwn ? load('w', 'packed', 'positionQueryAt(b, h, t0)', sizes.paddedWidth) : ''}
${load('d', 'dy', 'dyAt(b, h, t0)', sizes.paddedValueWidth)}`;
}

/** WGSL before the first tile. In scope: lane, own. */
export function prologueText(
  { unit, subgroups, strides, threads, parts, sources }: MatrixTile,
  needs: Needs,
): string {
  const zeros = (array: string, count: number): string =>
    `  for (var i = thread; i < ${count}u; i += ${threads}u) { ${array}[i] = 0.0h; }`;
  return `
  let row = own * ${unit}u + lane % ${unit}u; // this thread's row
  let part = lane / ${unit}u;
  let column0 = part * ${sources / parts}u;
  let areaAt = own * ${(unit * strides.area) / 4}u;
${needs.skewed ? zeros('skewed', (unit * subgroups + 1) * strides.skewed) : ''}
${needs.transposedSkewed ? zeros('transposedSkewed', (sources + unit + 1) * strides.transposed) : ''}`;
}

/**
 * WGSL: probabilities and gradients of logits of the tile, in workgroup memory; passed by all threads.
 * In scope: b, h, the subgroup's first query t0 and first source s0 (i32), its matrices
 * ({@link queryMatrices}) and what {@link prologueText} declares.
 * @param onLogits what to do with four `logit`s and their gradients `d`
 */
export function matrixTileText(
  { sizes, starts }: BackwardOperands,
  tile: MatrixTile,
  needs: Needs,
  onLogits = '',
): string {
  const { unit, sources, parts, columns, strides, hasPositions } = tile;
  const [width, valueWidth] = [sizes.paddedWidth, sizes.paddedValueWidth];
  const query = hasPositions && starts.positionQueries !== starts.queries ? 'w' : 'q';
  const each = sources / parts;
  const { right, result } = matrixTypes(tile);
  // A variable without a value would keep that of the tile before.
  const product = (
    left: string,
    array: string,
    at: string,
    rowWidth: number,
    column: number,
  ): string => `
    {
      let at = ${at};
      var sum = ${result}();
${lines(rowWidth / unit, (p) => `      sum = subgroupMatrixMultiplyAccumulate(${left}${p}, subgroupMatrixLoad<${right}, col_major>(&${array}, at + ${p * unit}u, ${rowWidth}u), sum);`)}
      subgroupMatrixStore<row_major>(&area, areaAt + ${column / 4}u, sum, ${strides.area / 4}u);
    }`;
  const shifted = (c: number): string => `area[(shift + ${c}u) / 4u][(shift + ${c}u) % 4u]`;
  return `
${hasPositions ? lines(sources / unit + 1, (n) => product(query, 'packed', `windowAt(h, s0, t0) + ${n * unit * width}u`, width, n * unit)) : ''}
${lines(sources / unit, (n) => product('q', 'packed', `keyAt(b, h, s0 + ${n * unit})`, width, columns.logits + n * unit))}
${lines(sources / unit, (n) => product('d', 'packed', `valueAt(b, h, s0 + ${n * unit})`, valueWidth, columns.products + n * unit))}
    workgroupBarrier();
    {
      let t = t0 + lane % ${unit}u;
      let about = rows[queryRow(b, h, t)];
      let first = u32(about.z);
      let end = min(u32(about.w), causalEnd(t));
      let at = (row * ${strides.area}u + column0) / 4u;
${hasPositions ? `      let shift = row * ${strides.area}u + column0 + ${unit - 1}u - lane % ${unit}u;` : ''}
${lines(
  each / 4,
  (e) => `      {
        var logit = area[at + ${columns.logits / 4 + e}u];
${
  hasPositions
    ? `        logit += vec4<f32>(${list(4)
        .map((i) => shifted(4 * e + i))
        .join(', ')});`
    : ''
}
        let s = vec4u(u32(s0) + column0 + ${4 * e}u) + vec4u(0u, 1u, 2u, 3u); // wraps where it is negative
        let isSeen = (s >= vec4u(first)) & (s < vec4u(end));
        let p = select(vec4<f32>(), exp(logit - about.x), isSeen);
        let d = p * (area[at + ${columns.products / 4 + e}u] - about.y);
${weightsText(tile, needs, e)}
        ${onLogits}
      }`,
)}
    }
    workgroupBarrier();`;
}

/** WGSL: stores the e-th four of a thread's probabilities `p` and gradients `d`. */
function weightsText({ unit, strides }: MatrixTile, needs: Needs, e: number): string {
  const column = (i: number): string => `column0 + ${4 * e + i}u`;
  const shifted = (i: number): string => `column0 + ${unit - 1 + 4 * e + i}u - lane % ${unit}u`;
  const each = (text: (i: number) => string): string => lines(4, (i) => `        ${text(i)}`);
  return [
    needs.gradients &&
      `        gradients[(row * ${strides.weights}u + ${column(0)}) / 4u] = vec4<f16>(d);`,
    needs.skewed && each((i) => `skewed[row * ${strides.skewed}u + ${shifted(i)}] = f16(d[${i}]);`),
    needs.probabilities &&
      each((i) => `probabilities[(${column(i)}) * ${strides.transposed}u + row] = f16(p[${i}]);`),
    needs.transposedGradients &&
      each(
        (i) => `transposedGradients[(${column(i)}) * ${strides.transposed}u + row] = f16(d[${i}]);`,
      ),
    needs.transposedSkewed &&
      each(
        (i) => `transposedSkewed[(${shifted(i)}) * ${strides.transposed}u + row] = f16(d[${i}]);`,
      ),
  ]
    .filter((text) => text !== undefined)
    .join('\n');
}
