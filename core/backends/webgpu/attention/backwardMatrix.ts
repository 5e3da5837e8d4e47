/**
 * The passes of attention's gradient on matrix units; see backwardPasses.ts for what they are and
 * backwardMatrixTile.ts for their tiles.
 */
import type { Dispatch, Operand } from '../kernel.ts';
import { wgslType } from '../shader.ts';
import {
  lines,
  list,
  matrixTileText,
  matrixTypes,
  memoryText,
  prologueText,
  queryMatrices,
  type MatrixTile,
  type Needs,
} from './backwardMatrixTile.ts';
import type { BackwardOperands } from './backwardOperands.ts';
import type { PositionPartials, QueryPartials } from './backwardPartials.ts';

const entry = (tile: MatrixTile, needs: Needs): string => `
@compute @workgroup_size(${tile.threads})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_id) own: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {${prologueText(tile, needs)}`;

/** WGSL: adds to sums `name`0, `name`1, … left · the rows of an operand from `at`, n columns of matrices. */
function multiply(
  name: string,
  left: string,
  array: string,
  at: string,
  width: number,
  tile: MatrixTile,
  n: number,
): string {
  const { right } = matrixTypes(tile);
  return lines(
    n,
    (j) =>
      `      ${name}${j} = subgroupMatrixMultiplyAccumulate(${left}, subgroupMatrixLoad<${right}, row_major>(&${array}, ${at} + ${j * tile.unit}u, ${width}u), ${name}${j});`,
  );
}

const sums = (name: string, n: number, tile: MatrixTile): string =>
  lines(n, (j) => `  var ${name}${j} = ${matrixTypes(tile).result}();`);

/**
 * WGSL: hands sums to threads, as many at once as `area` has columns for.
 * @param work of some sums in columns 0 … of the subgroup's rows of `area`, of which it gets the numbers
 */
function throughArea(
  names: readonly string[],
  most: number,
  { unit, strides }: MatrixTile,
  work: (first: number, count: number) => string,
): string {
  const pieces = list(Math.ceil(names.length / most)).map((i) =>
    names.slice(i * most, (i + 1) * most),
  );
  return pieces
    .map(
      (piece, i) => `
${piece.map((name, j) => `  subgroupMatrixStore<row_major>(&area, areaAt + ${(j * unit) / 4}u, ${name}, ${strides.area / 4}u);`).join('\n')}
  workgroupBarrier();
${work(i * most, piece.length)}
  workgroupBarrier();`,
    )
    .join('\n');
}

/** WGSL: an element of `area`. */
const areaAt = (row: string, column: string, { strides }: MatrixTile): string =>
  `area[(${row} * ${strides.area}u + ${column}) / 4u][(${column}) % 4u]`;

/** dq and partial sums of the gradients of biases and scale; a workgroup has tile.queries of a head. */
export function queryMatrixPass(
  operands: BackwardOperands,
  tile: MatrixTile,
  dq: Operand,
  partials: QueryPartials | undefined,
): Dispatch {
  const { sizes, packed, dy, rows, attributes } = operands;
  const { batch, heads, length, paddedLength, paddedWidth } = sizes;
  const { unit, sources, queries, strides, hasPositions } = tile;
  const n = paddedWidth / unit;
  const { left } = matrixTypes(tile);
  const needs: Needs = { gradients: true, ...(hasPositions && { skewed: true }) };
  const hasScale = attributes.given.includes('scale');
  const position = partials?.biases ? 'position' : 'content';
  const weights = (array: string, k: number, stride: number, vector: number): string =>
    `subgroupMatrixLoad<${left}, row_major>(&${array}, (own * ${unit * stride}u + ${k * unit}u) / ${vector}u, ${stride / vector}u)`;
  return {
    kernel: 'attentionGrad queries matrix',
    reads: { packed: inScalars(packed), dy: inScalars(dy), rows },
    writes: { dq, ...(partials && { partials: partials.operand }) },
    code: `${memoryText(operands, tile, needs)}${entry(tile, needs)}
  // The last queries see most when it is causal: they begin first.
  let tileOfGroup = ${Math.ceil(length / queries) - 1}u - group.x;
  let first0 = tileOfGroup * ${queries}u;
  let t0 = first0 + own * ${unit}u;
  let h = group.y % ${heads}u;
  let b = group.y / ${heads}u;
  let scale = rows[${batch * heads * paddedLength}u].x;
${queryMatrices(operands, tile)}
${sums('content', n, tile)}
${position === 'position' ? sums('position', n, tile) : ''}
  ${hasScale ? 'var scaleSum = 0.0;' : ''}
  let seen = visibleOf(queryRow(b, h, first0), thread);
  let last = i32(min(seen.y, causalEnd(first0 + ${queries - 1}u)));
  for (var s0 = i32(seen.x / ${sources}u * ${sources}u); s0 < last; s0 += ${sources}) {
${matrixTileText(operands, tile, needs, hasScale ? 'scaleSum += dot(d, select(vec4<f32>(), logit - about.x, isSeen));' : '')}
${lines(
  sources / unit,
  (k) => `    {
      let weights = ${weights('gradients', k, strides.weights, 4)};
      let at = keyAt(b, h, s0 + ${k * unit});
${multiply('content', 'weights', 'packed', 'at', paddedWidth, tile, n)}
    }`,
)}
${
  hasPositions
    ? lines(
        sources / unit + 1,
        (k) => `    {
      let weights = ${weights('skewed', k, strides.skewed, 1)};
      let at = windowAt(h, s0, t0) + ${k * unit * paddedWidth}u;
${multiply(position, 'weights', 'packed', 'at', paddedWidth, tile, n)}
    }`,
      )
    : ''
}
  }
  workgroupBarrier();
${storeQueries(operands, tile, dq, partials)}
${partials && hasScale ? scaleSum(operands, tile, partials) : ''}
}`,
    workgroups: [Math.ceil(length / queries), batch * heads, 1],
  };
}

/** f16 operands as single elements, as matrices are read. */
const inScalars = (operand: Operand): Operand => ({ ...operand, vector: 1 });

/** WGSL: dq, and the column sums of both terms where there are biases. */
function storeQueries(
  { sizes: { length, heads, width, paddedWidth } }: BackwardOperands,
  tile: MatrixTile,
  dq: Operand,
  partials: QueryPartials | undefined,
): string {
  const { unit, queries, strides, threads } = tile;
  const n = paddedWidth / unit;
  const biases = partials?.biases === true;
  // With biases the sums of both terms alternate.
  const names = list(n).flatMap((j) =>
    biases ? [`content${j}`, `position${j}`] : [`content${j}`],
  );
  const each = biases ? 2 : 1;
  const most = each * Math.floor(strides.area / unit / each);
  return throughArea(names, most, tile, (from, count) => {
    const columns = (count / each) * unit;
    const p0 = (from / each) * unit;
    return `
  for (var i = thread; i < ${queries * columns}u; i += ${threads}u) {
    let r = i / ${columns}u;
    let c = i % ${columns}u;
    let t = first0 + r;
    let p = ${p0}u + c;
    if (t < ${length}u && p < ${width}u) {
      let column = c / ${unit}u * ${each * unit}u + c % ${unit}u;
      let value = ${areaAt('r', 'column', tile)}${biases ? ` + ${areaAt('r', `(column + ${unit}u)`, tile)}` : ''};
      dq[((b * ${length}u + t) * ${heads}u + h) * ${width}u + p] = ${wgslType(dq)}(scale * value);
    }
  }
${
  biases
    ? `
  for (var i = thread; i < ${columns * 2}u; i += ${threads}u) {
    var sum = 0.0;
    for (var r = 0u; r < ${queries}u; r++) { sum += ${areaAt('r', 'i', tile)}; }
    let term = i / ${unit}u % 2u;
    let p = ${p0}u + i / ${2 * unit}u * ${unit}u + i % ${unit}u;
    partials[(((b * ${partials.tiles}u + tileOfGroup) * ${heads}u + h) * 2u + term) * ${paddedWidth}u + p] = scale * sum;
  }`
    : ''
}`;
  });
}

/** WGSL: the sum of all threads' `scaleSum`. */
function scaleSum(
  { sizes: { heads } }: BackwardOperands,
  { threads }: MatrixTile,
  { tiles, scaleStart }: QueryPartials,
): string {
  return `
  area[thread / 4u][thread % 4u] = scaleSum;
  workgroupBarrier();
  if (thread == 0u) {
    var sum = 0.0;
    for (var i = 0u; i < ${threads}u; i++) { sum += area[i / 4u][i % 4u]; }
    partials[${scaleStart}u + (b * ${tiles}u + tileOfGroup) * ${heads}u + h] = sum;
  }`;
}

/**
 * dk and dv; a workgroup has tile.sources of a key head. Matrices of results are shared out: subgroups
 * with the same remainder have the same sources and different columns.
 */
export function keyMatrixPass(
  operands: BackwardOperands,
  tile: MatrixTile,
  dk: Operand,
  dv: Operand,
): Dispatch {
  const { sizes, packed, dy, rows, attributes } = operands;
  const { batch, heads, keyHeads, length, source, paddedLength } = sizes;
  const { unit, sources, queries, strides, subgroups } = tile;
  const needs: Needs = { probabilities: true, transposedGradients: true };
  const { left } = matrixTypes(tile);
  const rowBlocks = sources / unit;
  const shares = subgroups / rowBlocks;
  const nK = Math.ceil(sizes.paddedWidth / unit / shares);
  const nV = Math.ceil(sizes.paddedValueWidth / unit / shares);
  const weights = (array: string, k: number): string =>
    `subgroupMatrixLoad<${left}, row_major>(&${array}, rowBlock * ${strides.transposed}u + ${k * unit}u, ${strides.transposed}u)`;
  const group = heads / keyHeads;
  const product = (
    name: string,
    array: string,
    from: string,
    at: string,
    width: number,
    n: number,
    k: number,
  ) => `    {
      let weights = ${weights(from, k)};
      let at = ${at};
${lines(n, (j) => {
  const column = `min(share * ${n * unit}u + ${j * unit}u, ${width - unit}u)`;
  return multiplyOne(
    `${name}${j}`,
    array,
    `at + ${shares === 1 ? `${j * unit}u` : column}`,
    width,
    tile,
  );
})}
    }`;
  return {
    kernel: 'attentionGrad keys matrix',
    reads: { packed: inScalars(packed), dy: inScalars(dy), rows },
    writes: { dk, dv },
    code: `${memoryText(operands, tile, needs)}${entry(tile, needs)}
  let firstSource = group.x * ${sources}u;
  let s0 = i32(firstSource);
  let keyHead = group.y % ${keyHeads}u;
  let b = group.y / ${keyHeads}u;
  let rowBlock = own % ${rowBlocks}u * ${unit}u;
  let share = own / ${rowBlocks}u;
${sums('keys', nK, tile)}
${sums('values', nV, tile)}
  let seen = visibleOf(b * ${heads * paddedLength}u, thread);
  let last = select(0u, ${length}u, firstSource < seen.y && firstSource + ${sources}u > seen.x);
  ${attributes.causal ? `let first = (max(firstSource, ${source - length}u) - ${source - length}u) / ${queries}u * ${queries}u;` : 'let first = 0u;'}
  for (var h = keyHead * ${group}u; h < (keyHead + 1u) * ${group}u; h++) {
    for (var first0 = first; first0 < last; first0 += ${queries}u) {
      let t0 = first0 + own * ${unit}u;
${queryMatrices(operands, tile)}
${matrixTileText(operands, tile, needs)}
${lines(
  subgroups,
  (
    k,
  ) => `${product('keys', 'packed', 'transposedGradients', `queryAt(b, h, first0 + ${k * unit}u)`, sizes.paddedWidth, nK, k)}
${product('values', 'dy', 'probabilities', `dyAt(b, h, first0 + ${k * unit}u)`, sizes.paddedValueWidth, nV, k)}`,
)}
    }
  }
  workgroupBarrier();
${storeKeys('keys', 'dk', dk, sizes.width, nK, operands, tile)}
${storeKeys('values', 'dv', dv, sizes.valueWidth, nV, operands, tile)}
}`,
    workgroups: [Math.ceil(source / sources), batch * keyHeads, 1],
  };
}

function multiplyOne(
  name: string,
  array: string,
  at: string,
  width: number,
  tile: MatrixTile,
): string {
  const { right } = matrixTypes(tile);
  return `      ${name} = subgroupMatrixMultiplyAccumulate(weights, subgroupMatrixLoad<${right}, row_major>(&${array}, ${at}, ${width}u), ${name});`;
}

/** WGSL: each subgroup writes its share of dk or dv. */
function storeKeys(
  name: string,
  output: string,
  operand: Operand,
  channels: number,
  n: number,
  { sizes: { source, keyHeads } }: BackwardOperands,
  tile: MatrixTile,
): string {
  const { unit, strides, subgroup } = tile;
  const most = Math.floor(strides.area / unit);
  return throughArea(
    list(n).map((j) => `${name}${j}`),
    most,
    tile,
    (from, count) => `
  for (var i = lane; i < ${unit * count * unit}u; i += ${subgroup}u) {
    let r = i / ${count * unit}u;
    let c = i % ${count * unit}u;
    let s = firstSource + rowBlock + r;
    let p = (share * ${n}u + ${from}u) * ${unit}u + c;
    if (s < ${source}u && p < ${channels}u) {
      ${output}[((b * ${source}u + s) * ${keyHeads}u + keyHead) * ${channels}u + p] = ${wgslType(operand)}(${areaAt(`(own * ${unit}u + r)`, 'c', tile)});
    }
  }`,
  );
}

/**
 * Partial sums of d(positions). The subgroups of a workgroup have sources at the same distance from
 * their queries, so all see the same window of positions, whose results are shared out.
 */
export function positionMatrixPass(
  operands: BackwardOperands,
  tile: MatrixTile,
  partials: PositionPartials,
): Dispatch {
  const { sizes, packed, dy, rows } = operands;
  const { batch, heads, keyHeads, length, paddedWidth } = sizes;
  const { unit, sources, queries, strides, subgroups, subgroup } = tile;
  const needs: Needs = { transposedSkewed: true };
  const { left } = matrixTypes(tile);
  const { windows, splits, pairs, rows: windowRows, before } = partials;
  const group = heads / keyHeads;
  const columns = paddedWidth / unit;
  const results = (windowRows / unit) * columns; // matrices
  const n = Math.ceil(results / subgroups);
  const most = Math.floor(strides.area / unit);
  const lastSource = queries - unit + sources; // of a workgroup's sources, one past
  return {
    kernel: 'attentionGrad positions matrix',
    reads: { packed: inScalars(packed), dy: inScalars(dy), rows },
    writes: { partials: partials.operand },
    code: `${memoryText(operands, tile, needs)}${entry(tile, needs)}
  let keyHead = group.y % ${keyHeads}u;
  let split = group.y / ${keyHeads}u;
  // Source − query of the window's blocks.
  let distance = i32(group.x * ${sources}u) - ${before + length - unit};
${sums('sum', n, tile)}
  let lastPair = min((split + 1u) * ${pairs}u, ${batch * group}u);
  for (var pair = split * ${pairs}u; pair < lastPair; pair++) {
    let b = pair / ${group}u;
    let h = keyHead * ${group}u + pair % ${group}u;
    let seen = vec2<i32>(visibleOf(queryRow(b, h, 0u), thread));
    for (var first0 = 0u; first0 < ${length}u; first0 += ${queries}u) {
      let t0 = first0 + own * ${unit}u;
      let s0 = i32(t0) + distance;
      let firstSource = i32(first0) + distance;
      if (firstSource < seen.y && firstSource + ${lastSource} > seen.x) {
${queryMatrices(operands, tile)}
${matrixTileText(operands, tile, needs)}
${lines(subgroups, (k) =>
  lines(
    n,
    (j) => `        {
          let result = min(own * ${n}u + ${j}u, ${results - 1}u);
          let weights = subgroupMatrixLoad<${left}, row_major>(&transposedSkewed, result / ${columns}u * ${unit * strides.transposed}u + ${k * unit}u, ${strides.transposed}u);
          ${multiplyOne(`sum${j}`, 'packed', `positionQueryAt(b, h, first0 + ${k * unit}u) + result % ${columns}u * ${unit}u`, paddedWidth, tile)}
        }`,
  ),
)}
      }
    }
  }
  workgroupBarrier();
${throughArea(
  list(n).map((j) => `sum${j}`),
  most,
  tile,
  (from, count) => `
  for (var i = lane; i < ${count * unit * unit}u; i += ${subgroup}u) {
    let r = i / ${count * unit}u;
    let c = i % ${count * unit}u;
    let result = own * ${n}u + ${from}u + c / ${unit}u;
    if (result < ${results}u) {
      let at = ((group.x * ${splits}u + split) * ${keyHeads}u + keyHead) * ${windowRows}u + result / ${columns}u * ${unit}u + r;
      partials[at * ${paddedWidth}u + result % ${columns}u * ${unit}u + c % ${unit}u] = ${areaAt(`(own * ${unit}u + r)`, 'c', tile)};
    }
  }`,
)}
}`,
    workgroups: [windows, keyHeads * splits, 1],
  };
}
