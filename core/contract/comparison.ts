/** Several runs on quality and cost: which numbers compare, which run is best, and at what price. */
import * as format from './format.ts';
import { tokensPerStep } from './progress.ts';
import type { Run } from './records.ts';

/** A cost of a run, and the words for it in a sentence. */
export interface Cost {
  key: string;
  words: string;
  /** Whether it was measured and so belongs to a device and a number of tokens per step. */
  measured?: boolean;
  get: (run: Run) => number | null;
}

/** Costs that ratios are given for. */
export const costs: readonly Cost[] = [
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
  const validated = runs.filter(({ bestValidationLoss }) => bestValidationLoss !== null);
  const [best] = validated.toSorted(
    (a, b) => (a.bestValidationLoss ?? Infinity) - (b.bestValidationLoss ?? Infinity),
  );
  return {
    best: sameData(runs) && validated.length > 0 ? best.id : null,
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

/** Whether all were trained and validated on the same dataset, so that their losses compare. */
export function sameData(runs: readonly Run[]): boolean {
  return runs.every(({ datasetId }) => datasetId === runs[0].datasetId);
}

/** Whether times and memory of two runs say something about the models. */
export function sameMeasure(run: Run, reference: Run): boolean {
  return (
    deviceOf(run) === deviceOf(reference) &&
    tokensPerStep(run.config) === tokensPerStep(reference.config)
  );
}

/** What of measured times and memory does not compare, in sentences; none where all does. */
export function measureCautions(runs: readonly Run[]): string[] {
  const timed = runs.filter(({ millisecondsPerStep }) => millisecondsPerStep !== null);
  const lines: string[] = [];
  if (timed.some((run) => deviceOf(run) !== deviceOf(timed[0])))
    lines.push('Times and memory were measured on different devices and do not compare.');
  if (timed.some((run) => tokensPerStep(run.config) !== tokensPerStep(timed[0].config)))
    lines.push('Steps are of different numbers of tokens, so times per step do not compare.');
  return lines;
}

const deviceOf = ({ backend, device }: Run): string => `${backend} ${device ?? ''}`;

/** A difference of two losses: `+0.0120`, `−0.0300`. */
export function signedLoss(value: number): string {
  return `${value < 0 ? '−' : '+'}${format.loss(Math.abs(value))}`;
}

/**
 * A loss of a run in bits per byte, which papers call bits per character: one byte a character. Null
 * where the run does not predict bytes, or without a loss.
 */
export function bitsPerByte(run: Pick<Run, 'config'>, loss: number | null): number | null {
  const predictsBytes = !isClassifier(run) && run.config.data.tokenizer === 'byte';
  return loss === null || !predictsBytes ? null : loss / Math.LN2;
}

/** Whether a run names the class of a whole sequence, rather than the next token. */
export const isClassifier = ({ config }: Pick<Run, 'config'>): boolean =>
  config.model.task === 'classification';

/** What a loss of these runs is measured in: a classifier predicts once an example. */
export function lossUnit(runs: readonly Pick<Run, 'config'>[]): string {
  if (!runs.some(isClassifier)) return 'nats per token';
  return runs.every(isClassifier) ? 'nats per example' : 'nats per token or example';
}
