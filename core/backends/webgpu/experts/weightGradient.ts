/**
 * The gradient of the expert matrices. An expert's items, whose number is known only at run time, are
 * the steps of its sum. They are cut into runs of equal length with partial sums of their own, so that
 * many workgroups share the work even where all tokens choose the same expert.
 */
import type { Dispatch, Operand, Setup } from '../kernel.ts';
import { floats, grid, perThread, threadGrid } from '../kernels/grid.ts';
import type { Tile } from '../products/tile.ts';
import { storedFactor, tiledProduct, type StoredFactor } from '../products/tiledProduct.ts';
import { chooseDivision } from '../products/tiles.ts';
import { wgslType } from '../shader.ts';
import { expertRuns, itemsByExpert, type ExpertChoices, type ExpertRuns } from './expertChoices.ts';

/** One of the two tensors whose rows are multiplied. */
export interface ItemRows {
  /** [M / perRow, width]: item i uses row ⌊i / perRow⌋. */
  readonly operand: Operand;
  readonly perRow: number;
  readonly width: number;
  /** [M]: what the row is multiplied by. */
  readonly weights: Operand | undefined;
}

export interface WeightGradient {
  readonly choices: ExpertChoices;
  readonly a: ItemRows;
  readonly b: ItemRows;
  /** [G·E, a.width, b.width] */
  readonly result: Operand;
}

/** result[e] = Σ over the items of expert e of w · a[row]ᵀ · b[row]. */
export function weightGradient(gradient: WeightGradient, setup: Setup): readonly Dispatch[] {
  const { choices, a, b, result } = gradient;
  const { experts, items } = choices;
  const steps = Math.ceil(items / experts);
  const shape = { m: a.width, n: b.width, k: steps, batch: experts };
  const { tile, splits } = chooseDivision(shape, setup.facts);
  const length = Math.ceil(steps / splits / tile.k) * tile.k;
  const runs = expertRuns(choices, length, setup);
  const vector = b.width % 4 === 0 ? 4 : 1;
  const size = a.width * b.width;
  const partial = { ...setup.scratch('f32', runs.count * size), vector } as const;
  return [
    partialSums(gradient, tile, runs, partial, setup),
    addRuns(runs, partial, { ...result, vector }, size / vector),
  ];
}

/** partial [runs, a.width, b.width]. */
function partialSums(
  { choices, a, b }: WeightGradient,
  tile: Tile,
  { runs, count }: ExpertRuns,
  partial: Operand,
  setup: Setup,
): Dispatch {
  const across = Math.ceil(b.width / tile.n);
  const tiles = Math.ceil(a.width / tile.m) * across;
  const left = itemFactor('a', a, tile, 'tileRow');
  const right = itemFactor('b', b, tile, 'tileColumn');
  const weights = a.weights ?? b.weights;
  return {
    kernel: 'expert gradient',
    reads: {
      runs,
      order: itemsByExpert(choices, setup).order,
      a: left.operand,
      b: right.operand,
      ...(weights === undefined ? {} : { weights }),
    },
    writes: { partial },
    code: tiledProduct(
      {
        tile,
        a: left.factor,
        b: right.factor,
        before: `  let tileIndex = _group.y * _groups.x + _group.x;
  // Tiles of the same items are neighbours. The grid may have some workgroups too many: the last run is empty.
  let number = min(tileIndex / ${tiles}u, ${count - 1}u);
  let run = runs[number];
  let tileRow = tileIndex % ${tiles}u / ${across}u * ${tile.m}u;
  let tileColumn = tileIndex % ${across}u * ${tile.n}u;`,
        rows: `select(0u, ${a.width}u - tileRow, run.y < run.z)`,
        columns: `${b.width}u - tileColumn`,
        kFirst: 'run.y',
        kEnd: 'run.z',
        store: {
          width: partial.vector === 4 ? 4 : 1,
          write: (row, column, value) =>
            `partial[(number * ${a.width * b.width}u + (tileRow + ${row}) * ${b.width}u + tileColumn + ${column}) / ${partial.vector}u] = ${value};`,
        },
      },
      setup.facts,
    ),
    workgroups: grid((count - 1) * tiles),
  };
}

/** Rows that the items choose, along the contraction. */
function itemFactor(
  name: string,
  { operand, perRow, width, weights }: ItemRows,
  tile: Tile,
  tileStart: string,
): StoredFactor {
  // What is weighted is not read as eight packed numbers.
  const multiple = weights === undefined || width % 4 !== 0 ? width : 4;
  const index = (other: string, k: string) =>
    `order[${k}] / ${perRow}u * ${width}u + ${tileStart} + ${other}`;
  const stored = storedFactor(name, operand, tile, 'other', multiple, index);
  if (weights === undefined) return stored;
  const { factor } = stored;
  const type = factor.width === 4 ? floats(4) : floats(1);
  const load = (other: string, k: string) =>
    `f32(weights[order[${k}]]) * ${type}(${factor.load(other, k)})`;
  return { ...stored, factor: { ...factor, load } };
}

/** Adds the runs of every expert; one without items gets zeros. */
function addRuns(
  { firsts }: ExpertRuns,
  partial: Operand,
  result: Operand,
  size: number,
): Dispatch {
  return {
    kernel: 'expert gradient, adding up',
    reads: { firsts, partial },
    writes: { result },
    code: perThread(
      result.length / result.vector,
      `  let expert = i / ${size}u;
  let cell = i % ${size}u;
  var sum = ${floats(result.vector)}();
  let end = firsts[expert + 1u];
  for (var run = firsts[expert]; run < end; run++) { sum += partial[run * ${size}u + cell]; }
  result[i] = ${wgslType(result)}(sum);`,
    ),
    workgroups: threadGrid(result.length / result.vector),
  };
}
