/**
 * Attention by the ordinary arithmetic of the GPU, with the softmax of a row built up from tile to
 * tile (Dao 2024, FlashAttention-2): the T × S matrix is never in memory. A workgroup has a tile of
 * queries of one head and walks over the tiles of sources that any of them sees.
 */
import type { Dispatch, Operand } from '../kernel.ts';
import { grid } from '../kernels/grid.ts';
import type { DeviceFacts } from '../loadWebgpu.ts';
import { wgslType } from '../shader.ts';
import {
  chooseTile,
  endCode,
  groupCode,
  logitOperands,
  logitsCode,
  savedRowCode,
  stagedCode,
  visibleCode,
  type Tile,
} from './forwardTile.ts';
import type { PackedInputs, PackedSizes } from './layout.ts';

export interface ForwardOperands {
  readonly packed: PackedInputs;
  readonly causal: boolean;
  readonly visible: Operand | undefined;
  /** [B, T, H·Pv] */
  readonly y: Operand;
  /** Log-sum-exp of every row, see `rows` of AttentionSizes. */
  readonly lse: Operand;
}

/** How the threads of a workgroup share a tile of y: vectors of four columns × queries. */
interface ValueShare {
  /** Vectors of columns that a workgroup makes; wider values take several workgroups. */
  readonly columns: number;
  readonly blocks: number;
  /** Threads across columns and queries, vectors of columns and queries of a thread. */
  readonly x: number;
  readonly y: number;
  readonly perX: number;
  readonly perY: number;
  /** Sources whose values are in workgroup memory at once. */
  readonly sources: number;
}

/** Vectors of columns of y in one workgroup: more would take too many registers. */
const mostColumns = 32;

function shareValues({ paddedValueWidth }: PackedSizes, tile: Tile): ValueShare {
  const blocks = Math.ceil(paddedValueWidth / 4 / mostColumns);
  const columns = Math.ceil(paddedValueWidth / 4 / blocks);
  const threads = tile.x * tile.y;
  const shares = [1, 2, 4, 8].flatMap((perX) => {
    const x = Math.ceil(columns / perX);
    const y = Math.min(Math.floor(threads / x), tile.queries);
    return y === 0 ? [] : [{ x, y, perX, perY: Math.ceil(tile.queries / y) }];
  });
  // Products for four sources, and what is read for them.
  const cost = ({ perX, perY }: (typeof shares)[number]): number =>
    16 * perX * perY + 4 * (perY + 4 * perX);
  const [best] = shares.sort((a, b) => cost(a) - cost(b));
  let { sources } = tile;
  while (sources > 4 && sources * columns > tile.staged) sources /= 2;
  return { columns, blocks, sources, ...best };
}

/** Floats from row to row of the tile of probabilities. */
const probabilityStride = ({ sources }: Tile): number => sources + 4;

const otherBytes = (tile: Tile): number =>
  4 * tile.queries * (probabilityStride(tile) + tile.x + 1 + 3) + 64;

/** y and lse; hidden sources cost nothing where a whole tile of them is hidden. */
export function forwardPlain(operands: ForwardOperands, facts: DeviceFacts): Dispatch {
  const { packed, visible, y, lse } = operands;
  const { sizes } = packed;
  const chosen = chooseTile(packed, facts, otherBytes);
  // The values of four sources at least must fit where queries and keys are.
  const least = 4 * Math.min(mostColumns, sizes.paddedValueWidth / 4);
  const tile = { ...chosen, staged: Math.max(chosen.staged, least) };
  const share = shareValues(sizes, tile);
  const vector = sizes.valueWidth % 4 === 0 ? 4 : 1;
  const output: Operand = { ...y, vector };
  const groups = Math.ceil(sizes.length / tile.queries) * sizes.heads * sizes.batch * share.blocks;
  return {
    kernel: 'attention',
    reads: {
      ...logitOperands(packed),
      values: { ...packed.values, vector: 4 },
      ...(visible && { visible }),
    },
    writes: { result: output, lse },
    code: forwardCode(operands, tile, share, output, groups),
    workgroups: grid(groups),
  };
}

function forwardCode(
  { packed, causal, visible }: ForwardOperands,
  tile: Tile,
  share: ValueShare,
  output: Operand,
  groups: number,
): string {
  const { sizes } = packed;
  const { queries, sources, x } = tile;
  return `
${stagedCode(tile)}
var<workgroup> probabilities: array<vec4<f32>, ${(queries * probabilityStride(tile)) / 4}>; // [queries, sources]
var<workgroup> partials: array<f32, ${queries * (x + 1)}>; // [queries, X]
var<workgroup> largest: array<f32, ${queries}>;
var<workgroup> shrink: array<f32, ${queries}>;
var<workgroup> range: vec4u;

@compute @workgroup_size(${tile.x * tile.y})
fn main(
  @builtin(workgroup_id) groupId: vec3u,
  @builtin(num_workgroups) groupCount: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let group = groupId.y * groupCount.x + groupId.x;
  if (group >= ${groups}u) { return; }
  let block = group % ${share.blocks}u;
  let head = group / ${share.blocks}u;
${groupCode(sizes, tile, 'head')}
  if (thread == 0u) {
    let seen = ${visibleCode(sizes, visible !== undefined)};
    range = vec4u(seen, ${endCode(sizes, causal, `t0 + ${queries - 1}u`)}, 0u);
  }
  if (thread < ${queries}u) { largest[thread] = -3e38; }
  let limits = workgroupUniformLoad(&range);
  let seen = limits.xy;
${perRow((i) => `  let end${i} = ${endCode(sizes, causal, `t0 + y + ${tile.y * i}u`)};`)}
${perRow((i) => `  var sum${i} = 0.0;`)}
  let column = thread % ${share.x}u;
  let row = thread / ${share.x}u;
${eachOutput(share, (name) => `  var ${name} = vec4<f32>();`)}

  for (var s0 = seen.x / ${sources}u * ${sources}u; s0 < limits.z; s0 += ${sources}u) {
${logitsCode(packed, tile)}
${softmaxCode(tile)}
${valuesCode(sizes, tile, share)}
  }
${endingCode(sizes, tile, share, output)}
}`;
}

const perRow = (line: (i: number) => string): string => [0, 1, 2, 3].map(line).join('\n');

/** A line for each vector of y that a thread has. */
const eachOutput = (
  { perX, perY }: ValueShare,
  line: (name: string, i: number, j: number) => string,
): string =>
  Array.from({ length: perX * perY }, (_, n) => {
    const [i, j] = [Math.floor(n / perX), n % perX];
    return line(`o${i}_${j}`, i, j);
  }).join('\n');

/** Takes a tile of logits into the softmax: probabilities relative to the largest logit so far. */
function softmaxCode({ queries, x, y, sources }: Tile): string {
  const source = `(s0 + x + vec4u(0u, ${x}u, ${2 * x}u, ${3 * x}u))`;
  const stride = sources + 4;
  return `
${perRow((i) => `    c${i} = select(vec4<f32>(-3e38), c${i}, (${source} >= vec4u(seen.x)) & (${source} < vec4u(end${i})));`)}
${perRow((i) => `    partials[(y + ${y * i}u) * ${x + 1}u + x] = max(max(c${i}.x, c${i}.y), max(c${i}.z, c${i}.w));`)}
    workgroupBarrier();
    if (thread < ${queries}u) {
      let before = largest[thread];
      var top = before;
      for (var i = 0u; i < ${x}u; i++) { top = max(top, partials[thread * ${x + 1}u + i]); }
      largest[thread] = top;
      shrink[thread] = exp(before - top);
    }
    workgroupBarrier();
${perRow(
  (i) => `    {
      let t = y + ${y * i}u;
      let p = exp(c${i} - largest[t]);
      sum${i} = sum${i} * shrink[t] + (p.x + p.y + p.z + p.w);
${[0, 1, 2, 3].map((j) => `      probabilities[(t * ${stride}u + x + ${x * j}u) / 4u][(x + ${x * j}u) % 4u] = p[${j}];`).join('\n')}
    }`,
)}`;
}

/** Adds probabilities × values of a tile to y. */
function valuesCode(sizes: PackedSizes, tile: Tile, share: ValueShare): string {
  const { columns, sources, perX } = share;
  const widest = sizes.paddedValueWidth / 4;
  const stride = probabilityStride(tile) / 4;
  const values = `((b * ${sizes.keyHeads}u + keyHead) * ${sizes.paddedSource}u + s0 + first)`;
  const across = Array.from({ length: perX }, (_, j) => j);
  const down = Array.from({ length: share.perY }, (_, i) => i);
  const columnOf = (j: number): string =>
    j === 0 ? 'column' : `min(column + ${share.x * j}u, ${columns - 1}u)`;
  const isWhole = columns * share.blocks === widest;
  const guard = isWhole ? 'true' : `c < ${widest}u`;
  return `
    for (var first = 0u; first < ${tile.sources}u; first += ${sources}u) {
      workgroupBarrier();
      for (var i = thread; i < ${sources * columns}u; i += ${tile.x * tile.y}u) {
        let c = block * ${columns}u + i % ${columns}u;
        var value = vec4<f32>();
        if (${guard}) { value = vec4<f32>(values[(${values} + i / ${columns}u) * ${widest}u + c]); }
        staged[i] = value;
      }
      workgroupBarrier();
      if (first == 0u) {
${down.map((i) => `        let shrink${i} = shrink[min(row + ${share.y * i}u, ${tile.queries - 1}u)];`).join('\n')}
${eachOutput(share, (name, i) => `        ${name} *= shrink${i};`)}
      }
      for (var s = 0u; s < ${sources}u; s += 4u) {
${down.map((i) => `        let p${i} = probabilities[min(row + ${share.y * i}u, ${tile.queries - 1}u) * ${stride}u + (first + s) / 4u];`).join('\n')}
${[0, 1, 2, 3]
  .flatMap((e) => [
    ...across.map(
      (j) => `        let v${e}_${j} = staged[(s + ${e}u) * ${columns}u + ${columnOf(j)}];`,
    ),
    eachOutput(
      share,
      (name, i, j) => `        ${name} = fma(vec4<f32>(p${i}[${e}]), v${e}_${j}, ${name});`,
    ),
  ])
  .join('\n')}
      }
    }`;
}

/** Divides by the sums of the rows and writes y and lse. */
function endingCode(sizes: PackedSizes, tile: Tile, share: ValueShare, output: Operand): string {
  const { queries, x, y } = tile;
  const { length, heads, valueWidth } = sizes;
  return `
  workgroupBarrier();
${perRow((i) => `  partials[(y + ${y * i}u) * ${x + 1}u + x] = sum${i};`)}
  workgroupBarrier();
  if (thread < ${queries}u) {
    var sum = 0.0;
    for (var i = 0u; i < ${x}u; i++) { sum += partials[thread * ${x + 1}u + i]; }
    shrink[thread] = 1.0 / sum;
    let t = t0 + thread;
    if (block == 0u && t < ${length}u) {
      lse[${savedRowCode(sizes, 't')}] = largest[thread] + log(sum);
    }
  }
  workgroupBarrier();
${eachOutput(
  share,
  (name, i, j) => `  {
    let own = row + ${share.y * i}u;
    let c = column + ${share.x * j}u;
    let p = 4u * (block * ${share.columns}u + c);
    if (row < ${share.y}u && own < ${queries}u && c < ${share.columns}u && t0 + own < ${length}u && p < ${valueWidth}u) {
      let at = ((b * ${length}u + t0 + own) * ${heads}u + h) * ${valueWidth}u + p;
      let value = ${name} * shrink[own];
${writeFour(output, valueWidth)}
    }
  }`,
)}`;
}

/** WGSL: writes `value` to columns p … p + 3, those that there are, of a row of `width`. */
function writeFour(output: Operand, width: number): string {
  const type = wgslType(output);
  if (output.vector === 4) return `      result[at / 4u] = ${type}(value);`;
  return [0, 1, 2, 3]
    .map((e) => `      if (p + ${e}u < ${width}u) { result[at + ${e}u] = ${type}(value[${e}]); }`)
    .join('\n');
}

/** The T × S matrices themselves, from lse: only for those who ask for them. */
export function probabilitiesPlain(
  { packed, causal, visible, lse }: Omit<ForwardOperands, 'y'>,
  saved: Operand,
  facts: DeviceFacts,
): Dispatch {
  const { sizes } = packed;
  const tile = chooseTile(packed, facts, () => 0);
  const sourceTiles = Math.ceil(sizes.source / tile.sources);
  const groups = Math.ceil(sizes.length / tile.queries) * sizes.heads * sizes.batch * sourceTiles;
  return {
    kernel: 'attention probabilities',
    reads: { ...logitOperands(packed), lse, ...(visible && { visible }) },
    writes: { saved },
    code: `
${stagedCode(tile)}

@compute @workgroup_size(${tile.x * tile.y})
fn main(
  @builtin(workgroup_id) groupId: vec3u,
  @builtin(num_workgroups) groupCount: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let group = groupId.y * groupCount.x + groupId.x;
  if (group >= ${groups}u) { return; }
  let s0 = group % ${sourceTiles}u * ${tile.sources}u;
  let head = group / ${sourceTiles}u;
${groupCode(sizes, tile, 'head')}
  let seen = ${visibleCode(sizes, visible !== undefined)};
${logitsCode(packed, tile)}
${perRow(
  (i) => `  {
    let t = t0 + y + ${tile.y * i}u;
    let end = ${endCode(sizes, causal, 't')};
    if (t < ${sizes.length}u) {
      let row = ${savedRowCode(sizes, 't')};
      for (var j = 0u; j < 4u; j++) {
        let s = s0 + x + j * ${tile.x}u;
        if (s < ${sizes.source}u) {
          let isSeen = s >= seen.x && s < end;
          saved[row * ${sizes.source}u + s] = ${wgslType(saved)}(select(0.0, exp(c${i}[j] - lse[row]), isSeen));
        }
      }
    }
  }`,
)}
}`,
    workgroups: grid(groups),
  };
}
