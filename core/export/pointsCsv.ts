/**
 * Every recorded step and validation of runs as CSV, as RFC 4180 has it: UTF-8, a header, lines that
 * end with CR LF, quotes where needed. A row is a step or a validation; columns of the other kind are
 * empty. `tokens` and `elapsed_seconds` are those of training up to the row's step; in classification
 * the loss of a validation is per example, `validation_tokens` counts examples, and `accuracy` is the
 * share classified rightly. Numbers are written in full, as JavaScript prints them.
 */
import type { Run, StepMetric, ValidationMetric } from '../contract/records.ts';

/** Steps and validations of one run, each in order; a block of a longer history. */
export interface PointBlock {
  readonly run: Pick<Run, 'id' | 'name'>;
  readonly steps: readonly StepMetric[];
  readonly validations: readonly ValidationMetric[];
}

const columns = [
  'run_id',
  'run_name',
  'kind',
  'step',
  'tokens',
  'elapsed_seconds',
  'loss_nats_per_token',
  'gradient_norm',
  'learning_rate',
  'milliseconds',
  'tensor_bytes',
  'rss_bytes',
  'validation_tokens',
  'accuracy',
] as const;
type Row = Partial<Record<(typeof columns)[number], string | number>>;

/** The first line. */
export function csvHeader(): string {
  return line(columns);
}

/** A block's lines by step, and how many; a validation comes after its step. */
export function csvLines({ run, steps, validations }: PointBlock): { text: string; rows: number } {
  const of = { run_id: run.id, run_name: run.name };
  const byStep = new Map(steps.map((metric) => [metric.step, metric]));
  const rows = [
    ...steps.map((metric) => ({ ...of, ...stepRow(metric) })),
    ...validations.map((metric) => ({ ...of, ...validationRow(metric, byStep.get(metric.step)) })),
  ].sort((a, b) => a.step - b.step); // stable: steps come first
  return {
    text: rows.map((row: Row) => line(columns.map((column) => row[column] ?? ''))).join(''),
    rows: rows.length,
  };
}

function stepRow(metric: StepMetric) {
  return {
    kind: 'step',
    step: metric.step,
    tokens: metric.tokens,
    elapsed_seconds: metric.elapsedSeconds,
    loss_nats_per_token: metric.loss,
    gradient_norm: metric.gradientNorm,
    learning_rate: metric.learningRate,
    milliseconds: metric.milliseconds,
    tensor_bytes: metric.tensorBytes,
    rss_bytes: metric.rssBytes,
  };
}

/** @param at the metric of its step; after a crash it may not have been recorded */
function validationRow(metric: ValidationMetric, at: StepMetric | undefined) {
  return {
    kind: 'validation',
    step: metric.step,
    tokens: at?.tokens ?? '',
    elapsed_seconds: at?.elapsedSeconds ?? '',
    loss_nats_per_token: metric.loss,
    milliseconds: metric.milliseconds,
    validation_tokens: metric.tokens,
    accuracy: metric.accuracy ?? '',
  };
}

function line(values: readonly (string | number)[]): string {
  return `${values.map(quoted).join(',')}\r\n`;
}

function quoted(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
