/** Several runs side by side, for a terminal: the table, and the verdict in sentences. */
import type { Run } from '../../contract/records.ts';
import { architecture } from '../../contract/architecture.ts';
import {
  bitsPerByte,
  costs,
  lossUnit as lossUnitInWords,
  measureCautions,
  sameData,
  sameMeasure,
  signedLoss,
  type Verdict,
} from '../../contract/comparison.ts';
import { tokensPerStep } from '../../contract/progress.ts';
import * as format from '../../contract/format.ts';
import { oneLine, table, width } from './table.ts';
import type { Paint } from './output.ts';

interface Row {
  label: string;
  value: (run: Run) => string;
}

const shown =
  (get: (run: Run) => number | null, print: (value: number) => string) =>
  (run: Run): string => {
    const value = get(run);
    return value === null ? '–' : print(value);
  };

/** What a loss of these runs is measured in, short: `nats/token`. */
export function lossUnit(runs: readonly Pick<Run, 'config'>[]): string {
  return lossUnitInWords(runs).replace(' per ', '/');
}

/** @param datasetName by dataset id */
function rows(runs: readonly Run[], datasetName: (id: string) => string): Row[] {
  const unit = lossUnit(runs);
  return [
    { label: 'architecture', value: (run) => architecture(run.config.model) },
    { label: 'parameters', value: (run) => format.count(run.parameters) },
    {
      label: 'attention MACs, one layer and sequence',
      value: (run) => format.count(run.attentionMacs),
    },
    {
      label: 'attention memory, one layer and sequence (floats)',
      value: (run) => format.whole(run.attentionFloats),
    },
    { label: 'whole-model MACs, one sequence', value: (run) => format.count(run.macs) },
    { label: 'tokens per step', value: (run) => format.whole(tokensPerStep(run.config)) },
    {
      label: 'time per step, median',
      value: shown((run) => run.millisecondsPerStep, format.milliseconds),
    },
    {
      label: 'peak memory, tensors (executor)',
      value: shown((run) => run.peakTensorBytes, format.bytes),
    },
    {
      label: 'peak memory, process (RSS)',
      value: shown((run) => run.peakRssBytes, format.bytes),
    },
    { label: 'backend', value: (run) => run.backend },
    { label: 'data', value: (run) => datasetName(run.datasetId) },
    {
      label: 'steps',
      value: (run) =>
        run.status === 'finished'
          ? format.whole(run.step)
          : `${format.whole(run.step)}/${format.whole(run.config.training.steps)} ${run.status}`,
    },
    { label: 'tokens seen', value: (run) => format.count(run.tokens) },
    {
      label: `best validation loss (${unit})`,
      value: shown((run) => run.bestValidationLoss, format.loss),
    },
    { label: '  at step', value: shown((run) => run.bestStep, format.whole) },
    {
      label: `last validation loss (${unit})`,
      value: shown((run) => run.lastValidationLoss, format.loss),
    },
    ...(runs.some((run) => bestBits(run) !== null)
      ? [{ label: 'best validation, bits per byte', value: shown(bestBits, format.bits) }]
      : []),
    ...(runs.some(({ lastAccuracy }) => lastAccuracy !== null) ? accuracyRows : []),
  ];
}

/** The lowest validation loss in bits per byte, where the run predicts bytes. */
export const bestBits = (run: Run): number | null => bitsPerByte(run, run.bestValidationLoss);

/** For classifiers. */
const accuracyRows: readonly Row[] = [
  {
    label: 'best validation accuracy',
    value: shown((run) => run.bestAccuracy, format.percent),
  },
  {
    label: 'last validation accuracy',
    value: shown((run) => run.lastAccuracy, format.percent),
  },
];

/** The table for people: quantities down, runs across, in as many blocks as the width asks for. */
export function comparisonTable(
  runs: readonly Run[],
  datasetName: (id: string) => string,
  columns: number,
  paint: Paint,
): string[] {
  const quantities = rows(runs, datasetName);
  const labels = Math.max(...quantities.map(({ label }) => width(label)));
  const titles = distinctNames(runs);
  const cells = runs.map((run) => quantities.map(({ value }) => value(run)));
  const widths = cells.map((column, i) => Math.max(width(titles[i]), ...column.map(width)));
  return blocks(widths, columns - labels).flatMap((indices, block) => [
    ...(block > 0 ? [''] : []),
    ...table(
      [
        { title: '' },
        ...indices.map((index) => ({ title: titles[index], align: 'right' as const })),
      ],
      quantities.map(({ label }, row) => [label, ...indices.map((index) => cells[index][row])]),
      paint,
    ),
  ]);
}

/** Consecutive columns that fit beside each other; at least one in each block. */
function blocks(widths: readonly number[], room: number): number[][] {
  const result: number[][] = [];
  let used = Infinity;
  for (const [index, cells] of widths.entries()) {
    const needed = cells + 2;
    if (used + needed > room) {
      result.push([]);
      used = 0;
    }
    result[result.length - 1].push(index);
    used += needed;
  }
  return result;
}

function distinctNames(runs: readonly Run[]): string[] {
  return runs.map(({ name, id }) =>
    oneLine(runs.some((other) => other.id !== id && other.name === name) ? `${name} ${id}` : name),
  );
}

/** `, best accuracy 95.1 %`; nothing for a language model. */
function accuracyOf({ bestAccuracy }: Run): string {
  return bestAccuracy === null ? '' : `, best accuracy ${format.percent(bestAccuracy)}`;
}

/** The verdict in sentences, with what limits it. */
export function verdictLines(runs: readonly Run[], { best, ratios }: Verdict): string[] {
  const [reference] = runs;
  const names = distinctNames(runs);
  const winner = runs.findIndex(({ id }) => id === best);
  const lines: string[] = [];
  if (winner >= 0)
    lines.push(
      `Best: ${names[winner]}, validation loss ${format.loss(runs[winner].bestValidationLoss)} ${lossUnit(runs)} at step ${format.whole(runs[winner].bestStep ?? 0)}${accuracyOf(runs[winner])}.`,
    );
  else if (!sameData(runs))
    lines.push(
      'No best run: they were validated on different data, so their losses do not compare.',
    );
  else lines.push('No best run: none has been validated yet.');
  for (const [index, run] of runs.entries()) {
    if (run === reference) continue;
    const parts = costs.flatMap(({ key, words, measured = false }) => {
      const value = ratios[run.id][key];
      if (value === null || (measured && !sameMeasure(run, reference))) return [];
      return [`${format.ratio(value, 1)} ${words}`];
    });
    const gap = (run.bestValidationLoss ?? NaN) - (reference.bestValidationLoss ?? NaN);
    const difference = Number.isNaN(gap) || best === null ? '' : `loss ${signedLoss(gap)}, `;
    lines.push(`${names[index]} relative to ${names[0]}: ${difference}${parts.join(', ')}.`);
  }
  return [...lines, ...measureCautions(runs)];
}
