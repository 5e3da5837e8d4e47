/** The paper's printed rows as points of the chart of quality against cost. */
import * as format from '../../../core/contract/format.ts';
import { publishedPoints, type PublishedPoint } from '../../../core/contract/paper.ts';
import type { PaperDataset, PaperModel } from '../../../core/contract/paperPresets.ts';
import type { ScatterPoint } from '../../charts/scatterOption.ts';
import { architectureSymbol } from '../../charts/theme.ts';

/** As runs of the same architecture are drawn. */
const symbols: Record<PaperModel, string> = {
  Transformer: architectureSymbol({ attention: 'dense', feedForward: 'dense' }),
  SwitchHead: architectureSymbol({ attention: 'switchhead', feedForward: 'dense' }),
  SwitchAll: architectureSymbol({ attention: 'switchhead', feedForward: 'sigma-moe' }),
  MoA: architectureSymbol({ attention: 'moa', feedForward: 'dense' }),
};

/**
 * One point for each model on a dataset, also where several tables print the same.
 * @param cost how a row's cost is read
 */
export function publishedOn(
  dataset: PaperDataset,
  cost: (row: PublishedPoint) => number,
): ScatterPoint[] {
  const rows = Map.groupBy(
    publishedPoints.filter((row) => row.dataset === dataset),
    ({ model, heads, parameters, value, macs, floats }) =>
      [model, heads, parameters, value, macs, floats].join(' '),
  );
  return [...rows].map(([key, [row, ...same]]): ScatterPoint => ({
    runId: `published ${key}`,
    ...{ cost: cost(row), loss: row.loss },
    name: `${row.model} ${Math.round(row.parameters / 1e6)}M H${row.heads}`,
    color: '',
    symbol: symbols[row.model],
    published: {
      tables: tableWords([row, ...same]),
      metric: `${row.metric === 'perplexity' ? 'perplexity' : 'bits per character'} ${row.value}`,
      ...(row.note === undefined ? {} : { note: row.note }),
    },
  }));
}

function tableWords(rows: readonly PublishedPoint[]): string {
  const tables = [...new Set(rows.map(({ table }) => table))];
  const last = tables.pop();
  return tables.length === 0 ? `table ${last}` : `tables ${tables.join(', ')} and ${last}`;
}

/** All tables with rows on a dataset: `tables 1 and 2`. */
export function publishedTables(dataset: PaperDataset): string {
  return tableWords(publishedPoints.filter((row) => row.dataset === dataset));
}

/** The points in a sentence, for whoever does not see them. */
export function publishedWords(points: readonly ScatterPoint[]): string {
  return points.map(({ name, loss }) => `${name}: ${format.loss(loss)}`).join('; ');
}
