/** Sums over many elements, in two dispatches where one could not fill a GPU; and a scalar's repetition. */
import { last, rowsOf } from '../../../graph/shapes.ts';
import type { Dispatch, Kernels, Operand, Setup } from '../kernel.ts';
import { wgslType } from '../shader.ts';
import { operands } from './elementwise.ts';
import { floats, literal, perThread, threadGrid, threads } from './grid.ts';
import { reduction, total } from './reduction.ts';

/** Columns and row lanes of a workgroup that sums columns; its threads are columns × lanes. */
interface Tile {
  readonly columns: number;
  readonly lanes: number;
}

/** Wide enough for whole cache lines. */
const wideTile: Tile = { columns: 32, lanes: threads / 32 };
/** For few columns: 32 bytes of a row still are a whole sector of memory. */
const narrowTile: Tile = { columns: 8, lanes: threads / 8 };

/** Rows that a thread reads before it waits for any of them. */
const ahead = 4;

/**
 * WGSL: `sum`, for the threads with `first` set, of x [rows, columns] over the rows `from` ≤ r < `to`,
 * for column `column`. Threads are [lanes, columns of the tile].
 */
function columnSumCode(tile: Tile, columns: number, type: string, rowsOfBlock: number): string {
  const step = tile.lanes * ahead;
  const reads = Array.from({ length: ahead }, (_, i) => {
    const row = `row + ${i * tile.lanes}u`;
    return `\n    if (${row} < end) { sum${i} += ${type}(x[(${row}) * ${columns}u + column]); }`;
  });
  return `
  let lane = thread / ${tile.columns}u;
  let column = group.x * ${tile.columns}u + thread % ${tile.columns}u;
  let inside = column < ${columns}u;
  let start = group.y * ${rowsOfBlock}u;
  let end = select(0u, min(start + ${rowsOfBlock}u, rows), inside);
  ${Array.from({ length: ahead }, (_, i) => `var sum${i}: ${type};`).join(' ')}
  for (var row = start + lane; row < end; row += ${step}u) {${reads.join('')}
  }
  values[thread] = (sum0 + sum1) + (sum2 + sum3);
  workgroupBarrier();
  var sum = values[thread];
  if (lane == 0u) {
    for (var other = thread + ${tile.columns}u; other < ${threads}u; other += ${tile.columns}u) {
      sum += values[other];
    }
  }
  let first = inside && lane == 0u;`;
}

/** WGSL: the entry point around {@link columnSumCode} and what becomes of its sum. */
function columnSumMain(
  { rows, rowsOfBlock, columns }: { rows: number; rowsOfBlock: number; columns: number },
  tile: Tile,
  type: string,
  store: string,
): string {
  return `
const rows = ${rows}u;
var<workgroup> values: array<${type}, ${threads}>; // [lanes, columns of the tile]
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
${columnSumCode(tile, columns, type, rowsOfBlock)}
  if (first) {
${store}
  }
}`;
}

/**
 * The second dispatch of sums over blocks: partials [blocks, Σ N] → outputs [N] of equal lengths, which
 * lie beside each other in every row of the partials.
 */
export function sumOfPartials(
  kernel: string,
  partials: Operand,
  blocks: number,
  outputs: Readonly<Record<string, Operand>>,
): Dispatch {
  const columns = partials.length / blocks;
  const names = Object.keys(outputs);
  const width = columns / names.length;
  const stores = names.map((name, i) => {
    const place = `column - ${i * width}u`;
    return `    if (column >= ${i * width}u && column < ${(i + 1) * width}u) { ${name}[${place}] = ${outputs[name].type}(sum); }`;
  });
  return {
    kernel,
    reads: { x: partials },
    writes: outputs,
    code: columnSumMain(
      { rows: blocks, rowsOfBlock: blocks, columns },
      narrowTile,
      'f32',
      stores.join('\n'),
    ),
    workgroups: [Math.ceil(columns / narrowTile.columns), 1, 1],
  };
}

/** Workgroups that fill a large GPU a few times over. */
const workgroupsWanted = 1024;

/** x [rows, N] → y [N]. */
function columnSum(
  [x, y]: readonly Operand[],
  rows: number,
  width: number,
  setup: Setup,
): Dispatch[] {
  const vector = width % 4 === 0 ? 4 : 1;
  const columns = width / vector;
  const tiles = Math.ceil(columns / wideTile.columns);
  const most = Math.ceil(rows / (wideTile.lanes * ahead));
  const wanted = Math.max(1, Math.min(most, Math.round(workgroupsWanted / tiles)));
  const rowsOfBlock = Math.ceil(rows / wanted);
  const blocks = Math.ceil(rows / rowsOfBlock);
  const sums = blocks === 1 ? y : setup.scratch('f32', blocks * width); // [blocks, N]
  const target: Operand = { ...sums, vector };
  const first: Dispatch = {
    kernel: 'columnSum',
    reads: { x: { ...x, vector } },
    writes: { y: target },
    code: columnSumMain(
      { rows, rowsOfBlock, columns },
      wideTile,
      floats(vector),
      `    y[group.y * ${columns}u + column] = ${wgslType(target)}(sum);`,
    ),
    workgroups: [tiles, blocks, 1],
  };
  return blocks === 1 ? [first] : [first, sumOfPartials('columnSum sum', sums, blocks, { y })];
}

/** Vectors that a thread sums in {@link sumTo} and in the norm of gradients. */
export const vectorsPerThread = 16;
/** Elements of a workgroup there. */
export const elementsPerWorkgroup = 4 * vectorsPerThread * threads;

/**
 * WGSL: `fn name(i) -> vec4<f32>`, elements 4i … 4i + 3 of a buffer, zeros past its length. A range
 * always is a whole number of vectors, so that the last one may be read.
 */
export function paddedRead(name: string, buffer: string, length: number): string {
  const read = `vec4<f32>(${buffer}[i])`;
  const value =
    length % 4 === 0
      ? read
      : `select(vec4<f32>(), ${read}, vec4u(4u * i) + vec4u(0u, 1u, 2u, 3u) < vec4u(${length}u))`;
  return `fn ${name}(i: u32) -> vec4<f32> { return ${value}; }`;
}

/** factor · Σ x → y []. */
function sumTo(x: Operand, y: Operand, factor: number, setup: Setup): Dispatch[] {
  const groups = Math.ceil(x.length / elementsPerWorkgroup);
  const target = groups === 1 ? y : setup.scratch('f32', groups);
  const scaled = groups === 1 ? `${literal(factor)} * sum` : 'sum';
  const dispatch: Dispatch = {
    kernel: 'mean',
    reads: { x: { ...x, vector: 4 } },
    writes: { y: target },
    code: `
${total(4)}
${paddedRead('vectorOf', 'x', x.length)}
${reduction('sumOverAll', 'f32', threads, 'a + b')}
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  var sums: vec4<f32>;
  for (var k = 0u; k < ${vectorsPerThread}u; k++) {
    let i = (group.x * ${vectorsPerThread}u + k) * ${threads}u + thread;
    if (i < ${Math.ceil(x.length / 4)}u) { sums += vectorOf(i); }
  }
  let sum = sumOverAll(total(sums), thread);
  if (thread == 0u) { y[group.x] = ${target.type}(${scaled}); }
}`,
    workgroups: [groups, 1, 1],
  };
  return groups === 1 ? [dispatch] : [dispatch, ...sumTo(target, y, factor, setup)];
}

export const sumKernels = {
  mean: ({ inputs, outputs }, setup) => {
    const [x, y] = operands([...inputs, ...outputs], setup);
    return sumTo(x, y, 1 / x.length, setup);
  },
  columnSum: ({ inputs, outputs }, setup) => {
    const [{ shape }] = inputs;
    return columnSum(operands([...inputs, ...outputs], setup), rowsOf(shape), last(shape), setup);
  },
  broadcast: ({ inputs, outputs, attributes: { factor } }, setup) => {
    const [x, one] = operands([...inputs, ...outputs], setup);
    // A range always is a whole number of vectors: the last may be written past the length.
    const y: Operand = { ...one, vector: 4 };
    const count = Math.ceil(y.length / 4);
    return [
      {
        kernel: 'broadcast',
        reads: { x },
        writes: { y },
        code: perThread(
          count,
          `  y[i] = ${wgslType(y)}(vec4<f32>(${literal(factor)} * f32(x[0])));`,
        ),
        workgroups: threadGrid(count),
      },
    ];
  },
} satisfies Partial<Kernels>;
