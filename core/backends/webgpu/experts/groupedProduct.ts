/**
 * The product of every chosen row with its expert's matrix. A workgroup takes a run of one expert's
 * items, gathers their rows as it reads them, and writes a row for every item; where several items
 * share a row of the result, combine.ts adds them up afterwards.
 */
import type { DeviceFacts } from '../loadWebgpu.ts';
import type { Dispatch, Operand, Setup } from '../kernel.ts';
import { floats, grid } from '../kernels/grid.ts';
import { tileThreads, type Tile } from '../products/tile.ts';
import { storedFactor, tiledProduct } from '../products/tiledProduct.ts';
import { chooseDivision } from '../products/tiles.ts';
import { wgslType } from '../shader.ts';
import { expertRuns, itemsByExpert, type ExpertChoices } from './expertChoices.ts';

export interface GroupedProduct {
  /** Name in profiles. */
  readonly kernel: string;
  readonly choices: ExpertChoices;
  /** Rows [M / perRow, inner]: item i uses row ⌊i / perRow⌋. */
  readonly x: Operand;
  readonly perRow: number;
  /** [G·E, inner, width], or with `transpose` [G·E, width, inner]. */
  readonly matrices: Operand;
  readonly transpose: boolean;
  readonly inner: number;
  readonly width: number;
  /** [M, width], in the order of the items. */
  readonly y: Operand;
  /** [M]: what each item's row is multiplied by. */
  readonly weights: Operand | undefined;
  readonly relu: boolean;
}

/** Bytes of workgroup memory that a run's places take, for the longest tile. */
const placeBytes = 2 * 4 * 256;

/** Facts with less workgroup memory, as much as is left for the tile. */
const besidePlaces = (facts: DeviceFacts): DeviceFacts => ({
  ...facts,
  workgroupBytes: facts.workgroupBytes - placeBytes,
});

/** y[item] = w[item] · x[⌊item / perRow⌋] · W[expert of item], with ReLU if asked for. */
export function groupedProduct(product: GroupedProduct, setup: Setup): Dispatch {
  const { kernel, choices, inner, width, x, matrices, transpose } = product;
  const { facts } = setup;
  const { experts, items } = choices;
  const shape = { m: Math.ceil(items / experts), n: width, k: inner, batch: experts };
  const { tile } = chooseDivision(shape, besidePlaces(facts), 1);
  const { runs, count } = expertRuns(choices, tile.m, setup);
  const a = storedFactor('x', x, tile, 'k', inner, (row, k) => `rowStart[${row}] + ${k}`);
  const b = transpose
    ? storedFactor(
        'matrices',
        matrices,
        tile,
        'k',
        inner,
        (column, k) => `matrix + (tileColumn + ${column}) * ${inner}u + ${k}`,
      )
    : storedFactor(
        'matrices',
        matrices,
        tile,
        'other',
        width,
        (column, k) => `matrix + ${k} * ${width}u + tileColumn + ${column}`,
      );
  const vector = width % 4 === 0 ? 4 : 1;
  const y: Operand = { ...product.y, vector };
  const { weights } = product;
  const across = Math.ceil(width / tile.n);
  return {
    kernel,
    reads: {
      runs,
      order: itemsByExpert(choices, setup).order,
      x: a.operand,
      matrices: b.operand,
      ...(weights === undefined ? {} : { weights }),
    },
    writes: { y },
    code: tiledProduct(
      {
        tile,
        a: a.factor,
        b: b.factor,
        globals: `// Of the rows of this tile: their items, and where their row of x begins.
var<workgroup> rowItem: array<u32, ${tile.m}>;
var<workgroup> rowStart: array<u32, ${tile.m}>;`,
        before: gatherRows(product, tile, facts, across, count),
        rows: 'rows',
        columns: `${width}u - tileColumn`,
        kFirst: '0u',
        kEnd: `select(0u, ${inner}u, rows > 0u)`,
        store: {
          width: vector,
          write: (row, column, value) =>
            `let _item = rowItem[${row}];
    y[(_item * ${width}u + tileColumn + ${column}) / ${vector}u] = ${wgslType(y)}(${result(product, value, vector)});`,
        },
      },
      facts,
    ),
    workgroups: grid((count - 1) * across),
  };
}

/** WGSL: which tile a workgroup makes, and its rows. Tiles of the same rows are neighbours. */
function gatherRows(
  { perRow, inner, width }: GroupedProduct,
  tile: Tile,
  facts: DeviceFacts,
  across: number,
  count: number,
): string {
  return `  let tileIndex = _group.y * _groups.x + _group.x;
  // The grid may have a few workgroups too many: the last run is empty.
  let run = runs[min(tileIndex / ${across}u, ${count - 1}u)];
  let tileColumn = tileIndex % ${across}u * ${tile.n}u;
  let matrix = run.x * ${inner * width}u;
  let rows = run.z - run.y;
  for (var i = _thread; i < rows; i += ${tileThreads(tile, facts)}u) {
    let item = order[run.y + i];
    rowItem[i] = item;
    rowStart[i] = item / ${perRow}u * ${inner}u;
  }
  workgroupBarrier();`;
}

function result({ weights, relu }: GroupedProduct, value: string, vector: 1 | 4): string {
  const weighted = weights === undefined ? value : `f32(weights[_item]) * ${value}`;
  return relu ? `max(${floats(vector)}(), ${weighted})` : weighted;
}
