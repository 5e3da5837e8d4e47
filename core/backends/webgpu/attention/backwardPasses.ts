/**
 * The passes of attention's gradient in f32. Each computes the attention matrix again, a tile at a
 * time (backwardTile.ts), and adds up other gradients: those of queries and biases, those of keys and
 * values, those of positions (Dao 2023, FlashAttention-2, algorithm 2, but without atomics: what a
 * workgroup of a pass adds up, no other one writes).
 */
import type { Dispatch, Operand } from '../kernel.ts';
import type { BackwardOperands } from './backwardOperands.ts';
import type { PositionPartials, QueryPartials } from './backwardPartials.ts';
import { inQuads, storeQuad } from './backwardStore.ts';
import {
  accumulate,
  accumulatorText,
  eachResult,
  side,
  tile,
  tileDeclarations,
  tileText,
  tileThreads,
  type Accumulator,
} from './backwardTile.ts';

const tilesOf = (rows: number): number => Math.ceil(rows / tile);

/** Vectors of four columns that a workgroup adds up, where a thread has four or eight rows of them. */
const [quadsOfFour, quadsOfEight] = [32, 24];

/** Columns are split among workgroups where a thread could not hold its share of the sums. */
function columnBlocks(quads: number, most: number): { blocks: number; quads: number } {
  const blocks = Math.ceil(quads / most);
  return { blocks, quads: Math.ceil(quads / blocks) };
}

/** WGSL: an entry point with column0, the workgroup's first vector of columns, in scope. */
const entry = (quads: number): string => `
@compute @workgroup_size(${tileThreads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let ty = thread / ${side}u;
  let tx = thread % ${side}u;
  let column0 = group.z * ${quads}u;`;

/** WGSL: where rows of the packed operands begin, for head h of sequence b. */
function rowsOf({ sizes, starts }: BackwardOperands) {
  const { heads, keyHeads, paddedLength, paddedSource } = sizes;
  const [quads, valueQuads] = [sizes.paddedWidth / 4, sizes.paddedValueWidth / 4];
  const query = `((b * ${heads}u + h) * ${paddedLength}u + t0)`;
  const key = `((b * ${keyHeads}u + keyHeadOf(h)) * ${paddedSource}u + s0)`;
  return {
    queries: ['packed', `${starts.queries}u + ${query} * ${quads}u`],
    positionQueries: ['packed', `${starts.positionQueries}u + ${query} * ${quads}u`],
    keys: ['packed', `${starts.keys}u + ${key} * ${quads}u`],
    window: ['packed', `${starts.positions ?? 0}u + windowOf(h, s0, t0) * ${quads}u`],
    dy: ['dy', `${query} * ${valueQuads}u`],
  } as const;
}

/**
 * dq [B, T, H·P] and, where there are biases or a learned scale, partial sums of their gradients. A
 * workgroup has 32 queries of a head.
 */
export function queryPass(
  operands: BackwardOperands,
  dq: Operand,
  partials: QueryPartials | undefined,
): Dispatch {
  const { sizes, starts, packed, dy, rows, attributes } = operands;
  const { batch, heads, length, width, paddedLength } = sizes;
  const width4 = sizes.paddedWidth / 4;
  const { blocks, quads } = columnBlocks(width4, quadsOfFour);
  const biases = partials?.biases === true;
  const content: Accumulator = { name: 'content', rows: 4, quads };
  const position: Accumulator = biases ? { ...content, name: 'position' } : content;
  const hasScale = attributes.given.includes('scale');
  const out = inQuads(dq, width);
  const at = rowsOf(operands);
  const ofContent = (row: string, k: string) => `values[gradientAt(${row}, ${k})]`;
  const ofPositions = (row: string, k: string) => `windowGradient(${row}, ${k})`;
  const start = `((b * ${length}u + t0 + row) * ${heads}u + h) * ${width}u`;
  return {
    kernel: 'attentionGrad queries',
    reads: { packed, dy, rows },
    writes: { dq: out, ...(partials && { partials: partials.operand }) },
    code: `${tileDeclarations(operands)}${entry(quads)}
  let t0 = group.x * ${tile}u;
  let h = group.y % ${heads}u;
  let b = group.y / ${heads}u;
  let scale = rows[${batch * heads * paddedLength}u].x;
  ${accumulatorText(content)}
  ${biases ? accumulatorText(position) : ''}
  ${hasScale ? 'var scaleSum = 0.0;' : ''}
  let seen = visibleOf((b * ${heads}u + h) * ${paddedLength}u + t0, thread);
  let last = min(seen.y, causalEnd(t0 + ${tile - 1}u));
  for (var s0 = seen.x / ${tile}u * ${tile}u; s0 < last; s0 += ${tile}u) {
    ${tileText(operands, hasScale ? 'scaleSum += d * select(0.0, logit - row.x, isSeen);' : '')}
    ${accumulate(content, ofContent, at.keys, width4, tile)}
    ${starts.positions === undefined ? '' : accumulate(position, ofPositions, at.window, width4, 2 * tile)}
  }
  ${eachResult(
    content,
    `if (t0 + row < ${length}u) { ${storeQuad('dq', out, width, start, '(column0 + quad)', 'scale * value')} }`,
    biases ? position : undefined,
  )}
  ${biases ? columnSums(content, 0, operands, partials) + columnSums(position, 1, operands, partials) : ''}
  ${partials && hasScale ? scaleSum(operands, partials) : ''}
}`,
    workgroups: [tilesOf(length), batch * heads, blocks],
  };
}

/** WGSL: the sums of an accumulator over all rows, as partial sums of a bias's gradient. */
function columnSums(
  a: Accumulator,
  part: 0 | 1,
  { sizes: { heads, paddedWidth } }: BackwardOperands,
  { tiles }: QueryPartials,
): string {
  return `
  for (var i = ty * ${4 * a.quads}u + tx; i < (ty + 1u) * ${4 * a.quads}u; i += ${side}u) { values[i] = 0.0; }
  workgroupBarrier();
  ${eachResult(a, `for (var c = 0u; c < 4u; c++) { values[(ty * ${a.quads}u + quad) * 4u + c] += value[c]; }`)}
  workgroupBarrier();
  for (var i = thread; i < ${4 * a.quads}u; i += ${tileThreads}u) {
    var sum = 0.0;
    for (var row = 0u; row < ${side}u; row++) { sum += values[row * ${4 * a.quads}u + i]; }
    if (4u * column0 + i < ${paddedWidth}u) {
      partials[(((b * ${tiles}u + group.x) * ${heads}u + h) * 2u + ${part}u) * ${paddedWidth}u + 4u * column0 + i] = scale * sum;
    }
  }
  workgroupBarrier();`;
}

/** WGSL: the sum of all threads' `scaleSum`. */
function scaleSum(
  { sizes: { heads } }: BackwardOperands,
  { tiles, scaleStart }: QueryPartials,
): string {
  return `
  values[thread] = scaleSum;
  workgroupBarrier();
  if (thread == 0u && group.z == 0u) {
    var sum = 0.0;
    for (var i = 0u; i < ${tileThreads}u; i++) { sum += values[i]; }
    partials[${scaleStart}u + (b * ${tiles}u + group.x) * ${heads}u + h] = sum;
  }`;
}

/** dk [B, S, Hk·P] and dv [B, S, Hk·Pv]. A workgroup has 32 sources of a key head. */
export function keyPass(operands: BackwardOperands, dk: Operand, dv: Operand): Dispatch {
  const { sizes, packed, dy, rows, attributes } = operands;
  const { batch, heads, keyHeads, length, source, width, valueWidth, paddedLength } = sizes;
  const [width4, valueWidth4] = [sizes.paddedWidth / 4, sizes.paddedValueWidth / 4];
  const { blocks, quads } = columnBlocks(Math.max(width4, valueWidth4), quadsOfFour);
  const keys: Accumulator = { name: 'keys', rows: 4, quads: Math.min(quads, width4) };
  const values: Accumulator = { name: 'rows', rows: 4, quads: Math.min(quads, valueWidth4) };
  const at = rowsOf(operands);
  const [outK, outV] = [inQuads(dk, width), inQuads(dv, valueWidth)];
  const start = (channels: number) =>
    `((b * ${source}u + s0 + row) * ${keyHeads}u + keyHead) * ${channels}u`;
  const store = (a: Accumulator, name: string, out: Operand, channels: number) =>
    eachResult(
      a,
      `if (s0 + row < ${source}u) { ${storeQuad(name, out, channels, start(channels), '(column0 + quad)')} }`,
    );
  const group = heads / keyHeads;
  return {
    kernel: 'attentionGrad keys',
    reads: { packed, dy, rows },
    writes: { dk: outK, dv: outV },
    code: `${tileDeclarations(operands)}${entry(quads)}
  let s0 = group.x * ${tile}u;
  let keyHead = group.y % ${keyHeads}u;
  let b = group.y / ${keyHeads}u;
  ${accumulatorText(keys)}
  ${accumulatorText(values)}
  let seen = visibleOf(b * ${heads * paddedLength}u, thread);
  let last = select(0u, ${length}u, s0 < seen.y && s0 + ${tile}u > seen.x);
  ${attributes.causal ? `let first = max(s0, ${source - length}u) - ${source - length}u;` : 'let first = 0u;'}
  for (var h = keyHead * ${group}u; h < (keyHead + 1u) * ${group}u; h++) {
    for (var t0 = first / ${tile}u * ${tile}u; t0 < last; t0 += ${tile}u) {
      ${tileText(operands)}
      ${accumulate(keys, (row, k) => `values[gradientAt(${k}, ${row})]`, at.queries, width4, tile)}
      ${accumulate(values, (row, k) => `values[probabilityAt(${k}, ${row})]`, at.dy, valueWidth4, tile)}
    }
  }
  ${store(keys, 'dk', outK, width)}
  ${store(values, 'dv', outV, valueWidth)}
}`,
    workgroups: [tilesOf(source), batch * keyHeads, blocks],
  };
}

/** Partial sums of d(positions), see {@link PositionPartials}. */
export function positionPass(operands: BackwardOperands, partials: PositionPartials): Dispatch {
  const { sizes, packed, dy, rows } = operands;
  const { batch, heads, keyHeads, length, paddedLength, paddedWidth } = sizes;
  const width4 = paddedWidth / 4;
  const { blocks, quads } = columnBlocks(width4, quadsOfEight);
  const positions: Accumulator = { name: 'positions', rows: 8, quads };
  const { windows, splits, pairs } = partials;
  const group = heads / keyHeads;
  const queryTiles = tilesOf(length);
  const out = inQuads(partials.operand, paddedWidth);
  const start = `(((window * ${splits}u + split) * ${keyHeads}u + keyHead) * ${2 * tile}u + row) * ${paddedWidth}u`;
  return {
    kernel: 'attentionGrad positions',
    reads: { packed, dy, rows },
    writes: { partials: out },
    code: `${tileDeclarations(operands)}${entry(quads)}
  let window = group.x;
  let keyHead = group.y % ${keyHeads}u;
  let split = group.y / ${keyHeads}u;
  ${accumulatorText(positions)}
  let lastPair = min((split + 1u) * ${pairs}u, ${batch * group}u);
  for (var pair = split * ${pairs}u; pair < lastPair; pair++) {
    let b = pair / ${group}u;
    let h = keyHead * ${group}u + pair % ${group}u;
    let seen = visibleOf((b * ${heads}u + h) * ${paddedLength}u, thread);
    let firstTile = ${queryTiles - 1}u - min(window, ${queryTiles - 1}u);
    for (var i = firstTile; i < ${queryTiles}u; i++) {
      let t0 = i * ${tile}u;
      let s0 = (window + i - ${queryTiles - 1}u) * ${tile}u;
      if (s0 < min(seen.y, causalEnd(t0 + ${tile - 1}u)) && s0 + ${tile}u > seen.x) {
        ${tileText(operands)}
        ${accumulate(positions, (row, k) => `windowGradient(${k}, ${row})`, rowsOf(operands).positionQueries, width4, tile)}
      }
    }
  }
  ${eachResult(positions, storeQuad('partials', out, paddedWidth, start, '(column0 + quad)'))}
}`,
    workgroups: [windows, keyHeads * splits, blocks],
  };
}
