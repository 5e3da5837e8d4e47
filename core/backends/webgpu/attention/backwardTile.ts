/**
 * The tile of 32 queries × 32 sources that all passes of attention's gradient compute again, in f32:
 * probabilities and gradients of logits, from packed operands, in the workgroup's memory.
 *
 * A workgroup is 8 × 8 threads. Thread (ty, tx) has the elements of queries ty + 8i and sources
 * tx + 8j, which keeps its loads free of bank conflicts.
 */
import { sequenceText, type BackwardOperands } from './backwardOperands.ts';
import { margin } from './layout.ts';

/** Queries and sources of a tile. */
export const tile = 32;
/** Threads of a workgroup, and of each of its two directions. */
export const tileThreads = 64;
export const side = 8;

/** Four operands' elements in a row of a staged operand, padded against bank conflicts. */
const stagedRow = 5;
/** Row length of products with the window of positions, of probabilities and their gradients. */
const [windowRow, probabilityRow] = [2 * tile + 1, tile + 1];
/** Where the logits' gradients begin in `values`. */
const gradients = tile * probabilityRow;

/** Vectors in `staged`, which the passes use for their own products too. */
export const stagedVectors = 3 * tile * stagedRow;

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** WGSL at the module's level. */
export function tileDeclarations({ sizes, attributes }: BackwardOperands): string {
  const { length, paddedPositions } = sizes;
  return `
var<workgroup> staged: array<vec4<f32>, ${stagedVectors}>;
// Products with the window of positions [32, 64 + 1]; then probabilities [32, 32 + 1] and gradients
// of logits [32, 32 + 1].
var<workgroup> values: array<f32, ${2 * tile * probabilityRow}>;
${sequenceText({ sizes, attributes })}
// The row of the first position of a tile's window, that of source s0 and query t0 + 31.
fn windowOf(h: u32, s0: u32, t0: u32) -> u32 {
  return keyHeadOf(h) * ${paddedPositions}u + s0 + ${length - tile + margin}u - t0;
}
fn probabilityAt(t: u32, s: u32) -> u32 { return t * ${probabilityRow}u + s; }
fn gradientAt(t: u32, s: u32) -> u32 { return ${gradients}u + t * ${probabilityRow}u + s; }
// Gradient of the logit of query t and row c of the window: source c + t − 31.
fn windowGradient(t: u32, c: u32) -> f32 {
  let s = c + t - ${tile - 1}u; // wraps to a large number before the first
  return select(0.0, values[gradientAt(t, min(s, ${tile - 1}u))], s < ${tile}u);
}
`;
}

/**
 * WGSL: products of the 32 rows of an operand with 8·n rows of another, added up over all columns.
 * Thread (ty, tx) gets rows ty + 8i and tx + 8j, as `name`i_n: vectors over four j.
 */
function products(
  name: string,
  [array, start]: readonly [string, string],
  [otherArray, otherStart]: readonly [string, string],
  quads: number,
  n: number,
): string {
  const groups = range(n / 4);
  const load = (from: string, at: string, first: number, rows: number): string => `
    for (var i = thread; i < ${rows * 4}u; i += ${tileThreads}u) {
      let column = chunk + i % 4u;
      var value = vec4<f32>();
      if (column < ${quads}u) { value = vec4<f32>(${from}[${at} + i / 4u * ${quads}u + column]); }
      staged[${first}u + i / 4u * ${stagedRow}u + i % 4u] = value;
    }`;
  const row = (first: number, at: string): string =>
    `staged[${first}u + (${at}) * ${stagedRow}u + column]`;
  return `
  ${range(4)
    .map((i) => groups.map((g) => `var ${name}${i}_${g} = vec4<f32>();`).join(' '))
    .join('\n  ')}
  for (var chunk = 0u; chunk < ${quads}u; chunk += 4u) {\
${load(array, start, 0, tile)}\
${load(otherArray, otherStart, tile * stagedRow, side * n)}
    workgroupBarrier();
    for (var column = 0u; column < 4u; column++) {
      ${range(4)
        .map((i) => `let a${i} = ${row(0, `ty + ${side * i}u`)};`)
        .join('\n      ')}
      ${groups
        .map(
          (g) =>
            `let b${g} = transpose(mat4x4<f32>(${range(4)
              .map((j) => row(tile * stagedRow, `tx + ${side * (4 * g + j)}u`))
              .join(', ')}));`,
        )
        .join('\n      ')}
      ${range(4)
        .flatMap((i) =>
          groups.flatMap((g) =>
            range(4).map(
              (c) =>
                `${name}${i}_${g} = fma(vec4<f32>(a${i}[${c}]), b${g}[${c}], ${name}${i}_${g});`,
            ),
          ),
        )
        .join('\n      ')}
    }
    workgroupBarrier();
  }`;
}

/**
 * WGSL: fills the tile of queries t0 … t0 + 31 of head h of sequence b and sources s0 … s0 + 31.
 * In scope: b, h, t0, s0, thread, tx, ty. Ends and begins with a barrier passed by all threads.
 * @param onLogit what to do with each `logit` and its gradient `d`
 */
export function tileText({ sizes, starts }: BackwardOperands, onLogit = ''): string {
  const { heads, keyHeads, paddedLength, paddedSource } = sizes;
  const [quads, valueQuads] = [sizes.paddedWidth / 4, sizes.paddedValueWidth / 4];
  const queryAt = `((b * ${heads}u + h) * ${paddedLength}u + t0)`;
  const keyAt = `((b * ${keyHeads}u + keyHeadOf(h)) * ${paddedSource}u + s0)`;
  const windowAt = 'windowOf(h, s0, t0)';
  const packed = (start: number | undefined, row: string, width: number) =>
    ['packed', `${start ?? 0}u + ${row} * ${width}u`] as const;
  const element = (i: number, j: number): string => `
    { // query ty + ${side * i}, source tx + ${side * j}
      let s = s0 + tx + ${side * j}u;
      let logit = l${i}_0[${j}]${starts.positions === undefined ? '' : ` + g${i}_${j}`};
      let isSeen = s >= u32(row.z) && s < min(u32(row.w), end);
      let p = select(0.0, exp(logit - row.x), isSeen);
      let d = p * (w${i}_0[${j}] - row.y);
      values[probabilityAt(ty + ${side * i}u, tx + ${side * j}u)] = p;
      values[gradientAt(ty + ${side * i}u, tx + ${side * j}u)] = d;
      ${onLogit}
    }`;
  const each = range(4).flatMap((i) => range(4).map((j) => [i, j] as const));
  return `
  ${
    starts.positions === undefined
      ? ''
      : `
  ${products('r', packed(starts.positionQueries, queryAt, quads), packed(starts.positions, windowAt, quads), quads, 8)}
  ${each.map(([i, j]) => `values[(ty + ${side * i}u) * ${windowRow}u + tx + ${side * j}u] = r${i}_0[${j}]; values[(ty + ${side * i}u) * ${windowRow}u + tx + ${side * (j + 4)}u] = r${i}_1[${j}];`).join('\n  ')}`
  }
  ${products('l', packed(starts.queries, queryAt, quads), packed(starts.keys, keyAt, quads), quads, 4)}
  ${products('w', ['dy', `${queryAt} * ${valueQuads}u`], packed(starts.values, keyAt, valueQuads), valueQuads, 4)}
  ${starts.positions === undefined ? '' : each.map(([i, j]) => `let g${i}_${j} = values[(ty + ${side * i}u) * ${windowRow}u + ${tile - 1 + side * j}u + tx - ty - ${side * i}u];`).join('\n  ')}
  workgroupBarrier();
  ${range(4)
    .map(
      (i) => `{
    let row = rows[${queryAt} + ty + ${side * i}u];
    let end = causalEnd(t0 + ty + ${side * i}u);
    ${range(4)
      .map((j) => element(i, j))
      .join('')}
  }`,
    )
    .join('\n  ')}
  workgroupBarrier();`;
}

/** An accumulated product: results [8·rows, columns], thread (ty, tx) has rows ty + 8i. */
export interface Accumulator {
  readonly name: string;
  /** Result rows of a thread. */
  readonly rows: number;
  /** The vectors of four columns that the workgroup has; thread tx those of tx + 8m. */
  readonly quads: number;
}

const vectorsOf = ({ quads }: Accumulator): number => Math.ceil(quads / side);

/** WGSL: the accumulator's variables, `name`i_m. */
export function accumulatorText(a: Accumulator): string {
  return range(a.rows)
    .map((i) =>
      range(vectorsOf(a))
        .map((m) => `var ${a.name}${i}_${m} = vec4<f32>();`)
        .join(' '),
    )
    .join('\n  ');
}

/**
 * WGSL: adds to an accumulator Σ_k weight(row, k) · operand[k], over the operand's first `count` rows.
 * @param weight WGSL of a tile's value from WGSL of the result's row and k
 * @param width vectors in a row of the operand; the accumulator's columns begin at `column0`
 */
export function accumulate(
  a: Accumulator,
  weight: (row: string, k: string) => string,
  [array, start]: readonly [string, string],
  width: number,
  count: number,
): string {
  const step = Math.min(8, Math.floor(stagedVectors / a.quads));
  const vectors = range(vectorsOf(a));
  return `
  for (var first = 0u; first < ${count}u; first += ${step}u) {
    for (var i = thread; i < ${step * a.quads}u; i += ${tileThreads}u) {
      let column = column0 + i % ${a.quads}u;
      var value = vec4<f32>();
      if (column < ${width}u) { value = vec4<f32>(${array}[${start} + (first + i / ${a.quads}u) * ${width}u + column]); }
      staged[i] = value;
    }
    workgroupBarrier();
    for (var i = 0u; i < ${step}u; i++) {
      let k = first + i;
      ${vectors.map((m) => `let x${m} = staged[i * ${a.quads}u + min(tx + ${side * m}u, ${a.quads - 1}u)];`).join('\n      ')}
      ${range(a.rows)
        .map((i) => `let w${i} = ${weight(`ty + ${side * i}u`, 'k')};`)
        .join('\n      ')}
      ${range(a.rows)
        .map((i) =>
          vectors
            .map((m) => `${a.name}${i}_${m} = fma(vec4<f32>(w${i}), x${m}, ${a.name}${i}_${m});`)
            .join(' '),
        )
        .join('\n      ')}
    }
    workgroupBarrier();
  }`;
}

/**
 * WGSL: runs `body` for each of a thread's results, with `row` (of the tile), `quad` (of the
 * workgroup's columns) and `value`, the sum of one or two accumulators.
 */
export function eachResult(a: Accumulator, body: string, other?: Accumulator): string {
  return range(a.rows)
    .flatMap((i) =>
      range(vectorsOf(a)).map(
        (m) => `
  {
    let row = ty + ${side * i}u;
    let quad = tx + ${side * m}u;
    let value = ${a.name}${i}_${m}${other === undefined ? '' : ` + ${other.name}${i}_${m}`};
    if (quad < ${a.quads}u) { ${body} }
  }`,
      ),
    )
    .join('');
}
