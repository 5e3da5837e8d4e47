/** Several runs side by side: what each costs, what it reached, and which one is best at what price. */
import type { Run } from '../../contract/records.ts';
import { architecture } from './architecture.ts';
import * as format from './format.ts';
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

/** Costs that ratios are given for, and the words for them in a sentence. */
interface Cost {
  key: string;
  words: string;
  /** Whether it was measured and so belongs to a device. */
  measured?: boolean;
  get: (run: Run) => number | null;
}

const costs: readonly Cost[] = [
  { key: 'parameters', words: 'parameters', get: (run) => run.parameters },
  { key: 'attentionMacs', words: 'attention MACs', get: (run) => run.attentionMacs },
  { key: 'attentionFloats', words: 'attention memory', get: (run) => run.attentionFloats },
  { key: 'macs', words: 'model MACs', get: (run) => run.macs },
  {
    key: 'millisecondsPerStep',
    words: 'time per step',
    measured: true,
    get: (run) => run.millisecondsPerStep,
  },
  {
    key: 'peakTensorBytes',
    words: 'peak tensor memory',
    measured: true,
    get: (run) => run.peakTensorBytes,
  },
];

/** @param datasetName by dataset id */
function rows(datasetName: (id: string) => string): Row[] {
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
    { label: 'tokens per step', value: (run) => format.whole(tokensPerStep(run)) },
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
      label: 'best validation loss (nats/token)',
      value: shown((run) => run.bestValidationLoss, format.loss),
    },
    { label: '  at step', value: shown((run) => run.bestStep, format.whole) },
    {
      label: 'last validation loss (nats/token)',
      value: shown((run) => run.lastValidationLoss, format.loss),
    },
  ];
}

/** The table for people: quantities down, runs across, in as many blocks as the width asks for. */
export function comparisonTable(
  runs: readonly Run[],
  datasetName: (id: string) => string,
  columns: number,
  paint: Paint,
): string[] {
  const quantities = rows(datasetName);
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

export interface Verdict {
  /** The run of the lowest validation loss; null if losses cannot be compared. */
  best: string | null;
  /** The run that ratios are relative to: the first given. */
  reference: string;
  /** By run id, each cost relative to the reference's; null where either is not known. */
  ratios: Record<string, Record<string, number | null>>;
}

/** Which run is best, and every run's costs relative to the first. */
export function judge(runs: readonly Run[]): Verdict {
  const [reference] = runs;
  const comparable = runs.every(({ datasetId }) => datasetId === reference.datasetId);
  const validated = runs.filter(({ bestValidationLoss }) => bestValidationLoss !== null);
  const [best] = validated.toSorted(
    (a, b) => (a.bestValidationLoss ?? Infinity) - (b.bestValidationLoss ?? Infinity),
  );
  return {
    best: comparable && validated.length > 0 ? best.id : null,
    reference: reference.id,
    ratios: Object.fromEntries(
      runs.map((run) => [
        run.id,
        Object.fromEntries(costs.map(({ key, get }) => [key, quotient(get(run), get(reference))])),
      ]),
    ),
  };
}

function quotient(value: number | null, reference: number | null): number | null {
  return value === null || reference === null || reference === 0 ? null : value / reference;
}

/** The verdict in sentences, with what limits it. */
export function verdictLines(runs: readonly Run[], { best, ratios }: Verdict): string[] {
  const [reference] = runs;
  const names = distinctNames(runs);
  const winner = runs.findIndex(({ id }) => id === best);
  const lines: string[] = [];
  if (winner >= 0)
    lines.push(
      `Best: ${names[winner]}, validation loss ${format.loss(runs[winner].bestValidationLoss)} nats/token at step ${format.whole(runs[winner].bestStep ?? 0)}.`,
    );
  else if (new Set(runs.map(({ datasetId }) => datasetId)).size > 1)
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
    const difference = Number.isNaN(gap) || best === null ? '' : `loss ${signed(gap)}, `;
    lines.push(`${names[index]} relative to ${names[0]}: ${difference}${parts.join(', ')}.`);
  }
  const timed = runs.filter(({ millisecondsPerStep }) => millisecondsPerStep !== null);
  if (timed.some((run) => deviceOf(run) !== deviceOf(timed[0])))
    lines.push('Times and memory were measured on different devices and do not compare.');
  if (timed.some((run) => tokensPerStep(run) !== tokensPerStep(timed[0])))
    lines.push('Steps are of different numbers of tokens, so times per step do not compare.');
  return lines;
}

function tokensPerStep({ config: { model, training } }: Run): number {
  return model.context * training.batch * training.accumulate;
}

const deviceOf = ({ backend, device }: Run): string => `${backend} ${device ?? ''}`;

/** Whether times and memory of two runs say something about the models. */
function sameMeasure(run: Run, reference: Run): boolean {
  return deviceOf(run) === deviceOf(reference) && tokensPerStep(run) === tokensPerStep(reference);
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`;
}
