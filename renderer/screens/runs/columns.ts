/** The columns of the comparison: how a run's number is read, printed, ordered and judged. */
import { sameData, sameMeasure, signedLoss } from '../../../core/contract/comparison.ts';
import * as format from '../../../core/contract/format.ts';
import { tokensPerStep } from '../../../core/contract/progress.ts';
import type { Run } from '../../../core/contract/records.ts';

export interface Column {
  key: string;
  title: string;
  /** In full, with unit. */
  help: string;
  value: (run: Run) => number | null;
  format: (value: number) => string;
  /** Which end is the good one, where there is one. */
  better?: 'low' | 'high';
  /** `measured` values belong to a device, `loss`es and accuracies to a dataset: only among equals do they compare. */
  kind: 'loss' | 'accuracy' | 'analytic' | 'measured' | 'progress';
}

/** Tokens that a run trains on in a second, from its median time per step. */
export function tokensPerSecond({ config, millisecondsPerStep }: Run): number | null {
  return millisecondsPerStep === null ? null : (tokensPerStep(config) * 1000) / millisecondsPerStep;
}

export const columns: readonly Column[] = [
  {
    key: 'bestValidationLoss',
    title: 'Best val.',
    help: 'Lowest validation loss, nats per token; of a classifier per example',
    value: (run) => run.bestValidationLoss,
    format: format.loss,
    better: 'low',
    kind: 'loss',
  },
  {
    key: 'bestStep',
    title: 'at step',
    help: 'Step of the lowest validation loss',
    value: (run) => run.bestStep,
    format: format.whole,
    kind: 'progress',
  },
  {
    key: 'lastValidationLoss',
    title: 'Last val.',
    help: 'Validation loss of the last validation, nats per token; of a classifier per example',
    value: (run) => run.lastValidationLoss,
    format: format.loss,
    better: 'low',
    kind: 'loss',
  },
  {
    key: 'bestAccuracy',
    title: 'Best acc.',
    help: 'Highest validation accuracy of a classifier',
    value: (run) => run.bestAccuracy,
    format: format.percent,
    better: 'high',
    kind: 'accuracy',
  },
  {
    key: 'parameters',
    title: 'Parameters',
    help: 'Trainable parameters',
    value: (run) => run.parameters,
    format: format.count,
    better: 'low',
    kind: 'analytic',
  },
  {
    key: 'attentionMacs',
    title: 'Attn. MACs',
    help: 'Multiply-accumulates of attention, one layer and one sequence',
    value: (run) => run.attentionMacs,
    format: format.count,
    better: 'low',
    kind: 'analytic',
  },
  {
    key: 'attentionFloats',
    title: 'Attn. floats',
    help: 'Attention memory in floats, one layer and one sequence',
    value: (run) => run.attentionFloats,
    format: format.count,
    better: 'low',
    kind: 'analytic',
  },
  {
    key: 'macs',
    title: 'Model MACs',
    help: 'Multiply-accumulates of one forward pass over one sequence, whole model',
    value: (run) => run.macs,
    format: format.count,
    better: 'low',
    kind: 'analytic',
  },
  {
    key: 'millisecondsPerStep',
    title: 'Time/step',
    help: 'Median measured time of a training step, validation and checkpoints excluded',
    value: (run) => run.millisecondsPerStep,
    format: format.milliseconds,
    better: 'low',
    kind: 'measured',
  },
  {
    key: 'tokensPerSecond',
    title: 'Tokens/s',
    help: 'Training tokens per second, from the median time per step',
    value: tokensPerSecond,
    format: format.count,
    better: 'high',
    kind: 'measured',
  },
  {
    key: 'peakTensorBytes',
    title: 'Tensor memory',
    help: 'Highest memory that the backend reported for its tensors',
    value: (run) => run.peakTensorBytes,
    format: format.bytes,
    better: 'low',
    kind: 'measured',
  },
  {
    key: 'tokens',
    title: 'Tokens seen',
    help: 'Training tokens seen so far',
    value: (run) => run.tokens,
    format: format.count,
    kind: 'progress',
  },
];

/** All columns but those of accuracies where no run has one: language models have none. */
export function columnsFor(runs: readonly Run[]): readonly Column[] {
  return columns.filter(
    ({ kind, value }) => kind !== 'accuracy' || runs.some((run) => value(run) !== null),
  );
}

/** Ids of the runs with the column's best value; none where the values do not compare or are all equal. */
export function bestOf({ better, kind, value }: Column, runs: readonly Run[]): Set<string> {
  const known = runs.filter((run) => value(run) !== null);
  if (better === undefined || known.length < 2) return new Set();
  if ((kind === 'loss' || kind === 'accuracy') && !sameData(known)) return new Set();
  if (kind === 'measured' && !known.every((run) => sameMeasure(run, known[0]))) return new Set();
  const values = known.map((run) => value(run) ?? NaN);
  const best = better === 'low' ? Math.min(...values) : Math.max(...values);
  const winners = known.filter((run) => value(run) === best);
  return new Set(winners.length === known.length ? [] : winners.map(({ id }) => id));
}

/** A cell. With a reference, how it stands to that: a difference of losses, a ratio of costs. */
export function cellText(column: Column, run: Run, reference: Run | null): string {
  const value = column.value(run);
  if (value === null) return '–';
  if (reference === null || column.kind === 'progress') return column.format(value);
  const other = column.value(reference);
  if (other === null) return '–';
  switch (column.kind) {
    case 'loss':
      return sameData([run, reference]) ? signedLoss(value - other) : '–';
    case 'accuracy':
      return sameData([run, reference]) ? signedPoints(value - other) : '–';
    case 'measured':
      return sameMeasure(run, reference) ? format.ratio(value, other) : '–';
    case 'analytic':
      return format.ratio(value, other);
  }
}

/** A difference of two shares in percentage points: `+1.2 pp`. */
const signedPoints = (value: number): string =>
  `${value < 0 ? '−' : '+'}${(100 * Math.abs(value)).toFixed(1)} pp`;

export interface TableSort {
  key: string;
  descending: boolean;
}

/** Rows without a value come last, whichever way. */
export function sortRows(
  runs: readonly Run[],
  { key, descending }: TableSort,
  nameOf: (run: Run) => string,
): Run[] {
  const column = columns.find((each) => each.key === key);
  const sign = descending ? -1 : 1;
  if (column === undefined)
    return runs.toSorted(
      (a, b) => sign * nameOf(a).localeCompare(nameOf(b), 'en', { numeric: true }),
    );
  return runs.toSorted((a, b) => {
    const [left, right] = [column.value(a), column.value(b)];
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    return sign * (left - right);
  });
}
