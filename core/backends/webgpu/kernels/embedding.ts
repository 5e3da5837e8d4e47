/** Rows of a table gathered by their numbers, and the sums of the rows' gradients. */
import { last, rowsOf } from '../../../graph/shapes.ts';
import { sizeOf } from '../../../graph/graph.ts';
import type { Dispatch, Kernels, Operand, Ranges } from '../kernel.ts';
import { wgslType } from '../shader.ts';
import { sortByKey, sortRanges, type SortRange } from './countingSort.ts';
import { floats, literal, perThread, threadGrid } from './grid.ts';

const vectorOf = (width: number): 1 | 4 => (width % 4 === 0 ? 4 : 1);

/**
 * Consecutive rows of the sorted order that one thread sums. A frequent id's rows are spread over many
 * threads, and a second pass adds their sums.
 */
const share = 16;

/** Gradient of the table by rows in the order of their ids. */
interface SortedRows {
  readonly ids: Operand;
  /** [rows, width] */
  readonly dy: Operand;
  /** [keys, width] */
  readonly dTable: Operand;
  /**
   * [shares, 2, width]: of each share, the sum of its first id's rows where these began before it, and
   * of its last id's where they go on behind it.
   */
  readonly parts: Operand;
  readonly sorted: Ranges<SortRange>;
  readonly rows: number;
  readonly keys: number;
  /** Vectors of a row. */
  readonly width: number;
  readonly scale: number;
}

/** Sums within shares: of ids whose rows lie in one share into the table, of others into `parts`. */
function sumShares(sums: SortedRows): Dispatch {
  const { ids, dy, dTable, parts, sorted, rows, keys, width, scale } = sums;
  const { order, starts } = sorted;
  const value = floats(dy.vector);
  const count = Math.ceil(rows / share) * width;
  return {
    kernel: 'embeddingGrad shares',
    reads: { ids, dy, order, starts },
    writes: { dTable, parts },
    code: perThread(
      count,
      `  let share = i / ${width}u;
  let column = i % ${width}u;
  let first = share * ${share}u;
  let end = min(first + ${share}u, ${rows}u);
  var sum = ${value}();
  var id = 0u;
  var idEnd = first;
  var beganBefore = false;
  for (var position = first; position < end; position++) {
    let row = order[position];
    if (position == idEnd || position == first) {
      id = min(u32(ids[row]), ${keys - 1}u);
      idEnd = starts[id + 1u];
      beganBefore = starts[id] < first;
    }
    sum += ${value}(dy[row * ${width}u + column]);
    if (position + 1u == min(idEnd, end)) {
      if (!beganBefore && idEnd <= end) {
        dTable[id * ${width}u + column] = ${wgslType(dTable)}(${literal(scale)} * sum);
      } else {
        parts[(2u * share + select(1u, 0u, beganBefore)) * ${width}u + column] = sum;
      }
      sum = ${value}();
    }
  }`,
    ),
    workgroups: threadGrid(count),
  };
}

/** The rows of the table that are still missing: of ids in several shares, and zeros for ids in none. */
function sumParts({ dTable, parts, sorted, keys, width, scale }: SortedRows): Dispatch {
  const { starts } = sorted;
  return {
    kernel: 'embeddingGrad sum',
    reads: { parts, starts },
    writes: { dTable },
    code: perThread(
      keys * width,
      `  let id = i / ${width}u;
  let column = i % ${width}u;
  let first = starts[id];
  let end = starts[id + 1u];
  if (first == end) { dTable[i] = ${wgslType(dTable)}(); return; }
  let firstShare = first / ${share}u;
  let lastShare = (end - 1u) / ${share}u;
  if (firstShare == lastShare) { return; }
  var sum = parts[(2u * firstShare + 1u) * ${width}u + column];
  for (var share = firstShare + 1u; share <= lastShare; share++) {
    sum += parts[2u * share * ${width}u + column];
  }
  dTable[i] = ${wgslType(dTable)}(${literal(scale)} * sum);`,
    ),
    workgroups: threadGrid(keys * width),
  };
}

export const embeddingKernels = {
  embedding: ({ inputs: [table, numbers], outputs, attributes: { scale } }, setup) => {
    const vector = vectorOf(last(table.shape));
    const width = last(table.shape) / vector;
    const ids = setup.operand(numbers);
    const [x, y] = [table, outputs[0]].map((tensor): Operand => ({
      ...setup.operand(tensor),
      vector,
    }));
    const count = y.length / vector;
    return [
      {
        kernel: 'embedding',
        reads: { x, ids },
        writes: { y },
        code: perThread(
          count,
          `  let row = min(u32(ids[i / ${width}u]), ${rowsOf(table.shape) - 1}u);
  y[i] = ${wgslType(y)}(${literal(scale)} * ${floats(vector)}(x[row * ${width}u + i % ${width}u]));`,
        ),
        workgroups: threadGrid(count),
      },
    ];
  },

  embeddingGrad: ({ inputs: [numbers, gradient], outputs, attributes: { scale } }, setup) => {
    const [rows, keys] = [sizeOf(numbers.shape), rowsOf(outputs[0].shape)];
    const columns = last(gradient.shape);
    const vector = vectorOf(columns);
    const ids = setup.operand(numbers);
    const [dy, dTable] = [gradient, outputs[0]].map((tensor): Operand => ({
      ...setup.operand(tensor),
      vector,
    }));
    const parts: Operand = {
      ...setup.scratch('f32', 2 * Math.ceil(rows / share) * columns),
      vector,
    };
    // Nodes that gather by the same ids share the order.
    const sorted = setup.derived(
      numbers,
      `sorted below ${keys}`,
      sortRanges(rows, keys),
      (ranges) => sortByKey({ items: rows, keys, key: 'u32(ids[i])', reads: { ids } }, ranges),
    );
    const width = columns / vector;
    const sums = { ids, dy, dTable, parts, sorted, rows, keys, width, scale };
    return [sumShares(sums), sumParts(sums)];
  },
} satisfies Partial<Kernels>;
