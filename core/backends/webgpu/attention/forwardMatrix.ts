/**
 * Attention on matrix units, with f16 operands and f32 sums, after FlashAttention-2 (Dao 2024). A
 * subgroup has as many queries as a matrix has rows, a workgroup several subgroups that share tiles
 * of keys, values and positions in workgroup memory. All products are matrices; the softmax between
 * them is done by threads, which see logits through workgroup memory, a thread always the same row.
 *
 * Relative positions: of queries t and sources s of a tile only consecutive rows s − t are used. The
 * subgroup multiplies its queries with all of these, and logit (t, s) takes the number that lies
 * s − t further. The rows are a ring in workgroup memory: the next tile of sources needs only as many
 * new ones as it has sources.
 *
 * Probabilities are relative to a logit that need not be the row's largest: only when one exceeds it
 * by `slack` what was summed so far is scaled down to a new one, through workgroup memory. After
 * the first tile this is rare, so sums may stay where only matrix units reach them.
 */
import type { Dispatch, Operand } from '../kernel.ts';
import { grid } from '../kernels/grid.ts';
import type { DeviceFacts, MatrixUnit } from '../loadWebgpu.ts';
import { wgslType } from '../shader.ts';
import type { ForwardOperands } from './forwardPlain.ts';
import { endCode, savedRowCode, visibleCode } from './forwardTile.ts';
import { margin, type PackedInputs } from './layout.ts';

/** exp(slack) is the largest probability before it is normalised: f16 holds up to exp(11). */
const slack = 8;

/** Elements that rows in workgroup memory are longer than needed, so that they lie in different banks. */
const padHalf = 8;
const padFloat = 4;

interface MatrixTile {
  readonly unit: MatrixUnit;
  readonly subgroup: number;
  readonly subgroups: number;
  readonly queries: number;
  readonly sources: number;
  /** Threads that share a row in the softmax. */
  readonly parts: number;
  /** Rows of positions in the ring. */
  readonly ring: number;
  /** From row to row in workgroup memory, in elements. */
  readonly strides: {
    readonly keys: number;
    readonly values: number;
    readonly logits: number;
    readonly probabilities: number;
  };
  readonly hasPositions: boolean;
  readonly hasPositionQueries: boolean;
}

/**
 * Tiles in the order in which they are tried. Short ones leave room for more workgroups at once, which
 * was faster on an H100, but each multiplies its queries with `m` positions more than it has sources:
 * wide heads take fewer, longer tiles.
 */
function candidates({ sizes, positions }: PackedInputs): { subgroups: number; sources: number }[] {
  const isLong = positions !== undefined && sizes.paddedWidth >= 64;
  return [4, 2, 1].flatMap((subgroups) =>
    (isLong ? [32, 16] : [16, 32]).map((sources) => ({ subgroups, sources })),
  );
}

/** Beyond these widths the matrices of a subgroup would not fit into its registers. */
const mostWidth = 160;
const mostValueWidth = 128;

/** The tile for matrix units, or undefined where they do not suit: then there is {@link forwardPlain}. */
export function chooseMatrixTile(
  packed: PackedInputs,
  { matrixUnit: unit, subgroup, invocations, workgroupBytes }: DeviceFacts,
): MatrixTile | undefined {
  const { paddedWidth, paddedValueWidth } = packed.sizes;
  if (unit === undefined || subgroup === undefined) return undefined;
  const parts = subgroup / unit.m;
  const isPower = (n: number): boolean => Number.isInteger(Math.log2(n));
  if (!isPower(parts) || parts < 1 || !isPower(unit.m) || unit.m % unit.n !== 0) return undefined;
  if (paddedWidth > mostWidth || paddedValueWidth > mostValueWidth) return undefined;
  return candidates(packed)
    .map((candidate) => matrixTile(packed, unit, subgroup, candidate))
    .find(
      (tile) =>
        tile.sources % unit.n === 0 &&
        tile.sources % unit.k === 0 &&
        64 % tile.queries === 0 &&
        subgroup * tile.subgroups <= invocations &&
        tileBytes(tile) <= workgroupBytes,
    );
}

function matrixTile(
  { sizes, positions, queries: packedQueries, positionQueries }: PackedInputs,
  unit: MatrixUnit,
  subgroup: number,
  { subgroups, sources }: ReturnType<typeof candidates>[number],
): MatrixTile {
  const queries = subgroups * unit.m;
  const hasPositions = positions !== undefined;
  return {
    unit,
    subgroup,
    subgroups,
    queries,
    sources,
    parts: subgroup / unit.m,
    ring: hasPositions ? queries + sources : 0,
    strides: {
      keys: sizes.paddedWidth + padHalf,
      values: sizes.paddedValueWidth + padHalf,
      logits: sources + (hasPositions ? unit.m : 0) + padFloat,
      probabilities: sources + padHalf,
    },
    hasPositions,
    hasPositionQueries:
      positionQueries !== undefined && positionQueries.offset !== packedQueries.offset,
  };
}

const rowsLength = ({ sources, strides }: MatrixTile): number =>
  sources * Math.max(strides.keys, strides.values);

const tileBytes = (tile: MatrixTile): number =>
  2 * (rowsLength(tile) + tile.ring * tile.strides.keys) +
  tile.queries * (4 * tile.strides.logits + 2 * tile.strides.probabilities + 4) +
  64;

/** y and lse on matrix units. */
export function forwardMatrix(operands: ForwardOperands, tile: MatrixTile): Dispatch {
  const { packed, visible, y, lse } = operands;
  const { sizes, positions, positionQueries } = packed;
  const groups = Math.ceil(sizes.length / tile.queries) * sizes.heads * sizes.batch;
  return {
    kernel: 'attention matrix',
    reads: {
      queries: packed.queries,
      ...(tile.hasPositionQueries && positionQueries && { positionQueries }),
      keys: inEights(packed.keys),
      values: inEights(packed.values),
      ...(positions && { positions: inEights(positions) }),
      ...(visible && { visible }),
    },
    writes: { result: y, lse },
    code: matrixCode(operands, tile, groups),
    workgroups: grid(groups),
  };
}

/** Eight f16 as one vector, for copying: `vec4<u32>`. */
const inEights = (operand: Operand): Operand => ({
  ...operand,
  type: 'u32',
  length: operand.length / 2,
  vector: 4,
});

const list = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);
const lines = (count: number, line: (i: number) => string): string =>
  list(count).map(line).join('\n');

/** WGSL types of matrices, which name columns before rows. */
function matrixTypes({ m, n, k }: MatrixUnit): Record<'left' | 'right' | 'result', string> {
  return {
    left: `subgroup_matrix_left<f16, ${k}, ${m}>`,
    right: `subgroup_matrix_right<f16, ${n}, ${k}>`,
    result: `subgroup_matrix_result<f32, ${n}, ${m}>`,
  };
}

function matrixCode(operands: ForwardOperands, tile: MatrixTile, groups: number): string {
  const { packed, causal, visible } = operands;
  const { sizes } = packed;
  const { unit, queries, sources, strides, subgroup } = tile;
  const { length, heads, keyHeads, paddedLength, paddedWidth, paddedValueWidth } = sizes;
  const tiles = Math.ceil(length / queries);
  const types = matrixTypes(unit);
  const steps = paddedWidth / unit.k;
  const outputs = paddedValueWidth / unit.n;
  const stages = stagesOf(packed, tile);
  const loadQueries = (name: string, array: string): string =>
    lines(
      steps,
      (p) =>
        `  let ${name}${p} = subgroupMatrixLoad<${types.left}, row_major>(&${array}, queryAt + ${p * unit.k}u, ${paddedWidth}u);`,
    );
  return `
var<workgroup> rows: array<vec4<u32>, ${rowsLength(tile) / 8}>; // keys, then values of the same tile
${tile.hasPositions ? `var<workgroup> ring: array<vec4<u32>, ${(tile.ring * strides.keys) / 8}>; // positions` : ''}
var<workgroup> logits: array<vec4<f32>, ${(queries * strides.logits) / 4}>;
var<workgroup> probabilities: array<vec4<f16>, ${(queries * strides.probabilities) / 4}>;
var<workgroup> inverse: array<f32, ${queries}>;
var<workgroup> exceeds: array<u32, ${tile.subgroups}>;
var<workgroup> range: vec4u;

@compute @workgroup_size(${subgroup * tile.subgroups})
fn main(
  @builtin(workgroup_id) groupId: vec3u,
  @builtin(num_workgroups) groupCount: vec3u,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_id) own: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let group = groupId.y * groupCount.x + groupId.x;
  if (group >= ${groups}u) { return; }
  // The last queries see most when it is causal: they begin first.
  let t0 = (${tiles - 1}u - group % ${tiles}u) * ${queries}u;
  let h = group / ${tiles}u % ${heads}u;
  let b = group / ${tiles * heads}u;
  let keyHead = ${keyHeads === 1 ? '0u' : 'h'};
  let row = own * ${unit.m}u + lane % ${unit.m}u; // this thread's query in softmax
  let part = lane / ${unit.m}u;
  if (thread == 0u) {
    let seen = ${visibleCode(sizes, visible !== undefined)};
    range = vec4u(seen, ${endCode(sizes, causal, `t0 + ${queries - 1}u`)}, 0u);
  }
  let limits = workgroupUniformLoad(&range);
  let seen = limits.xy;
  let end = ${endCode(sizes, causal, 't0 + row')};
  let queryAt = ((b * ${heads}u + h) * ${paddedLength}u + t0 + own * ${unit.m}u) * ${paddedWidth}u;
${loadQueries('q', 'queries')}
${tile.hasPositionQueries ? loadQueries('w', 'positionQueries') : ''}
${lines(outputs, (i) => `  var o${i} = ${types.result}();`)}
  var top = -3e38; // what the row's probabilities are relative to
  var sum = 0.0;
  let firstTile = seen.x / ${sources}u * ${sources}u;

${tile.hasPositions ? firstRing(packed, tile) : ''}
${declare(stages.keys, tile)}
${fetch(stages.keys, tile, 'firstTile')}
${tile.hasPositions ? `${declare(stages.ring, tile)}\n${fetch(stages.ring, tile, 'firstTile')}` : ''}

  for (var s0 = firstTile; s0 < limits.z; s0 += ${sources}u) {
    workgroupBarrier();
${put(stages.keys, tile)}
${tile.hasPositions ? put(stages.ring, tile) : ''}
    workgroupBarrier();
${declare(stages.values, tile)}
${fetch(stages.values, tile, 's0')}
${logitsCode(tile, steps, types)}
${softmaxCode(tile, outputs, types)}
${put(stages.values, tile)}
    let next = select(s0, s0 + ${sources}u, s0 + ${sources}u < limits.z);
${fetch(stages.keys, tile, 'next')}
${tile.hasPositions ? fetch(stages.ring, tile, 'next') : ''}
    workgroupBarrier();
${lines(sources / unit.k, (s) => {
  const pAt = `own * ${(unit.m * strides.probabilities) / 4}u + ${(s * unit.k) / 4}u`;
  const vAt = (i: number): string => `${(s * unit.k * strides.values + i * unit.n) / 8}u`;
  return `    let p${s} = subgroupMatrixLoad<${types.left}, row_major>(&probabilities, ${pAt}, ${strides.probabilities / 4}u);
${lines(outputs, (i) => `    o${i} = subgroupMatrixMultiplyAccumulate(p${s}, subgroupMatrixLoad<${types.right}, row_major>(&rows, ${vAt(i)}, ${strides.values / 8}u), o${i});`)}`;
})}
  }
${endingCode(operands, tile, outputs)}
}`;
}

/** Rows that are copied to workgroup memory, a whole number of vectors by each thread. */
interface Stage {
  /** Of the variables that hold them on their way. */
  readonly name: string;
  readonly array: string;
  /** WGSL of the number of the first row there, for the tile of sources that begins at `s`. */
  readonly firstRow: (s: string) => string;
  readonly width: number;
  /** WGSL of the place in workgroup memory of row r and vector c of the row, for that tile. */
  readonly place: (r: string, c: string, s: string) => string;
}

/**
 * What every tile of sources copies. Reads are begun long before they are needed, into variables,
 * while the matrix units work on other rows.
 */
function stagesOf(
  { sizes }: PackedInputs,
  tile: MatrixTile,
): Record<'keys' | 'values' | 'ring', Stage> {
  const { keyHeads, paddedSource, paddedPositions, length } = sizes;
  const { strides, queries, ring } = tile;
  const source = (s: string): string => `(b * ${keyHeads}u + keyHead) * ${paddedSource}u + ${s}`;
  return {
    keys: {
      name: 'nextKeys',
      array: 'keys',
      firstRow: source,
      width: sizes.paddedWidth,
      place: (r, c) => `rows[${r} * ${strides.keys / 8}u + ${c}]`,
    },
    values: {
      name: 'nextValues',
      array: 'values',
      firstRow: source,
      width: sizes.paddedValueWidth,
      place: (r, c) => `rows[${r} * ${strides.values / 8}u + ${c}]`,
    },
    ring: {
      // Of the window of positions the last rows are new. Row j of it lies at (s + j) modulo the
      // ring's length.
      name: 'nextPositions',
      array: 'positions',
      firstRow: (s) => `keyHead * ${paddedPositions}u + ${margin + length}u + ${s} - t0`,
      width: sizes.paddedWidth,
      place: (r, c, s) =>
        `ring[(${s} + ${queries}u + ${r}) % ${Math.max(ring, 1)}u * ${strides.keys / 8}u + ${c}]`,
    },
  };
}

/** How many vectors of a stage each thread copies. */
const shareOf = ({ width }: Stage, { sources, subgroup, subgroups }: MatrixTile): number =>
  Math.ceil((sources * width) / 8 / (subgroup * subgroups));

/** A line for each vector of a stage that a thread copies, where it is not one too many. */
function eachShare(
  stage: Stage,
  tile: MatrixTile,
  line: (variable: string, index: string) => string,
): string {
  const count = (tile.sources * stage.width) / 8;
  const threads = tile.subgroup * tile.subgroups;
  return lines(shareOf(stage, tile), (n) => {
    const index = `(thread + ${n * threads}u)`;
    const code = line(`${stage.name}${n}`, index);
    return (n + 1) * threads <= count ? `    ${code}` : `    if (${index} < ${count}u) { ${code} }`;
  });
}

const declare = (stage: Stage, tile: MatrixTile): string =>
  lines(shareOf(stage, tile), (n) => `    var ${stage.name}${n} = vec4<u32>();`);

/** Begins to read the rows for the tile that begins at `s`. */
const fetch = (stage: Stage, tile: MatrixTile, s: string): string =>
  eachShare(
    stage,
    tile,
    (variable, index) =>
      `${variable} = ${stage.array}[(${stage.firstRow(s)}) * ${stage.width / 8}u + ${index}];`,
  );

/** Stores what was read in workgroup memory. */
const put = (stage: Stage, tile: MatrixTile): string =>
  eachShare(
    stage,
    tile,
    (variable, index) =>
      `${stage.place(`${index} / ${stage.width / 8}u`, `${index} % ${stage.width / 8}u`, 's0')} = ${variable};`,
  );

/** Copies the rows of positions that the first tile needs besides those that are new for it. */
function firstRing({ sizes }: PackedInputs, tile: MatrixTile): string {
  const { length, paddedPositions, paddedWidth } = sizes;
  const { queries, ring, strides, subgroup, subgroups } = tile;
  const vectors = paddedWidth / 8;
  return `
  for (var i = thread; i < ${queries * vectors}u; i += ${subgroup * subgroups}u) {
    let j = i / ${vectors}u;
    let position = keyHead * ${paddedPositions}u + ${margin + length - queries}u + firstTile - t0 + j;
    ring[(firstTile + j) % ${ring}u * ${strides.keys / 8}u + i % ${vectors}u] = positions[position * ${vectors}u + i % ${vectors}u];
  }`;
}

/** Logits of the tile in vectors e0, e1, …: of the thread's row, the columns of its part. */
function logitsCode(
  tile: MatrixTile,
  steps: number,
  types: ReturnType<typeof matrixTypes>,
): string {
  const { unit, sources, parts, strides, ring, hasPositions } = tile;
  const each = sources / parts;
  const query = tile.hasPositionQueries ? 'w' : 'q';
  const window = `
    let ringAt = s0 + ${tile.queries - unit.m}u - own * ${unit.m}u; // where this subgroup's window begins`;
  // A variable without a value would keep that of the tile before: Tint clears it only once.
  const product = (name: string, left: string, array: string, from: string): string =>
    `    var ${name} = ${types.result}();
${lines(steps, (p) => `    ${name} = subgroupMatrixMultiplyAccumulate(${left}${p}, subgroupMatrixLoad<${types.right}, col_major>(&${array}, ${from} + ${(p * unit.k) / 8}u, ${strides.keys / 8}u), ${name});`)}`;
  const content = lines(sources / unit.n, (s) =>
    product(`c${s}`, 'q', 'rows', `${(s * unit.n * strides.keys) / 8}u`),
  );
  const straight = `
${lines(sources / unit.n, (s) => storeLogits(tile, `c${s}`, s))}
    workgroupBarrier();
    let straight = row * ${strides.logits / 4}u + part * ${each / 4}u;
${lines(each / 4, (e) => (hasPositions ? `    e${e} += logits[straight + ${e}u];` : `    var e${e} = logits[straight + ${e}u];`))}
    let s = s0 + part * ${each}u + vec4u(0u, 1u, 2u, 3u);
${lines(each / 4, (e) => `    e${e} = select(vec4<f32>(-3e38), e${e}, (s + ${4 * e}u >= vec4u(seen.x)) & (s + ${4 * e}u < vec4u(end)));`)}`;
  if (!hasPositions) return content + straight;
  const shifted = (e: number): string => `logits[(shifted + ${e}u) / 4u][(shifted + ${e}u) % 4u]`;
  return `${window}
${lines((sources + unit.m) / unit.n, (j) => {
  const from = `(ringAt + ${j * unit.n}u) % ${ring}u * ${strides.keys / 8}u`;
  return `${product(`g${j}`, query, 'ring', from)}\n${storeLogits(tile, `g${j}`, j)}`;
})}
${content}
    workgroupBarrier();
    // Of the window's product column s − t + m − 1 belongs to source s.
    let shifted = row * ${strides.logits}u + ${unit.m - 1}u - row % ${unit.m}u + part * ${each}u;
${lines(each / 4, (e) => `    var e${e} = vec4<f32>(${[0, 1, 2, 3].map((i) => shifted(4 * e + i)).join(', ')});`)}
    workgroupBarrier();
${straight}`;
}

/** Stores a matrix of sums as the i-th across of this subgroup's rows of logits. */
const storeLogits = ({ unit, strides }: MatrixTile, name: string, i: number): string =>
  `    subgroupMatrixStore<row_major>(&logits, own * ${(unit.m * strides.logits) / 4}u + ${(i * unit.n) / 4}u, ${name}, ${strides.logits / 4}u);`;

/** From logits to probabilities in workgroup memory; scales down what there is where it must. */
function softmaxCode(
  tile: MatrixTile,
  outputs: number,
  types: ReturnType<typeof matrixTypes>,
): string {
  const { unit, sources, parts, strides, subgroups } = tile;
  const each = sources / parts;
  const acrossParts = (name: string, operation: (a: string, b: string) => string): string =>
    lines(Math.log2(parts), (i) => {
      const other = `subgroupShuffleXor(${name}, ${unit.m * 2 ** i}u)`;
      return `    ${name} = ${operation(name, other)};`;
    });
  return `
    var mosts = e0;
${lines(each / 4 - 1, (e) => `    mosts = max(mosts, e${e + 1});`)}
    var most = max(max(mosts.x, mosts.y), max(mosts.z, mosts.w));
${acrossParts('most', (a, b) => `max(${a}, ${b})`)}
    if (s0 == firstTile) { top = most; }
    let anyExceeds = subgroupAny(most > top + ${slack}.0);
    if (lane == 0u) { exceeds[own] = u32(anyExceeds); }
    let flags = workgroupUniformLoad(&exceeds);
    if (${list(subgroups)
      .map((i) => `flags[${i}] != 0u`)
      .join(' || ')}) {
      let before = top;
      top = max(top, most);
      let shrink = exp(before - top);
      sum *= shrink;
${throughMemory(
  tile,
  outputs,
  (count) =>
    `      for (var i = part; i < ${(count * unit.n) / 4}u; i += ${parts}u) { logits[row * ${strides.logits / 4}u + i] *= shrink; }`,
  types,
)}
    }
${lines(each / 4, (e) => `    e${e} = exp(e${e} - top);`)}
    let sums = ${list(each / 4)
      .map((e) => `e${e}`)
      .join(' + ')};
    sum += sums.x + sums.y + sums.z + sums.w;
${lines(each / 4, (e) => `    probabilities[row * ${strides.probabilities / 4}u + part * ${each / 4}u + ${e}u] = vec4<f16>(e${e});`)}
`;
}

/** Lets threads work on y in workgroup memory, as many matrices at once as it holds. */
function throughMemory(
  tile: MatrixTile,
  outputs: number,
  work: (count: number, first: number) => string,
  types?: ReturnType<typeof matrixTypes>,
): string {
  const { unit, strides } = tile;
  const most = Math.floor(strides.logits / unit.n);
  const pieces = list(Math.ceil(outputs / most)).map((piece) =>
    list(outputs).slice(piece * most, (piece + 1) * most),
  );
  const load = (i: number): string =>
    `      o${i} = subgroupMatrixLoad<${types?.result ?? ''}, row_major>(&logits, own * ${(unit.m * strides.logits) / 4}u + ${((i % most) * unit.n) / 4}u, ${strides.logits / 4}u);`;
  return pieces
    .map(
      (piece) => `
${piece.map((i) => storeLogits(tile, `o${i}`, i % most)).join('\n')}
      workgroupBarrier();
${work(piece.length, piece[0])}
      workgroupBarrier();
${types ? `${piece.map(load).join('\n')}\n      workgroupBarrier();` : ''}`,
    )
    .join('\n');
}

/** Divides by the sums of the rows and writes y and lse. */
function endingCode({ packed, y }: ForwardOperands, tile: MatrixTile, outputs: number): string {
  const { unit, parts, strides, subgroup } = tile;
  const { sizes } = packed;
  const { length, heads, valueWidth } = sizes;
  return `
${lines(Math.log2(parts), (i) => `  sum += subgroupShuffleXor(sum, ${unit.m * 2 ** i}u);`)}
  if (part == 0u) {
    inverse[row] = 1.0 / sum;
    let t = t0 + row;
    if (t < ${length}u) { lse[${savedRowCode(sizes, 't')}] = top + log(sum); }
  }
  workgroupBarrier();
${throughMemory(
  tile,
  outputs,
  (count, first) => `      for (var i = lane; i < ${unit.m * count * unit.n}u; i += ${subgroup}u) {
        let r = own * ${unit.m}u + i / ${count * unit.n}u;
        let c = i % ${count * unit.n}u;
        let p = ${first * unit.n}u + c;
        if (t0 + r < ${length}u && p < ${valueWidth}u) {
          let at = r * ${strides.logits}u + c;
          let value = logits[at / 4u][at % 4u] * inverse[r];
          result[((b * ${length}u + t0 + r) * ${heads}u + h) * ${valueWidth}u + p] = ${wgslType(y)}(value);
        }
      }`,
)}`;
}
