/** What a curve can show and over what: names, units and how a value is read from a run's history. */
import { lossUnit } from '../../core/contract/comparison.ts';
import * as format from '../../core/contract/format.ts';
import { tokensPerStep } from '../../core/contract/progress.ts';
import type { CurvePoint, Run } from '../../core/contract/records.ts';

export type Axis = 'step' | 'tokens' | 'time';
export type Metric =
  | 'loss'
  | 'accuracy'
  | 'learningRate'
  | 'gradientNorm'
  | 'milliseconds'
  | 'tokensPerSecond'
  | 'tensorBytes'
  | 'rssBytes';

export interface Quantity {
  /** For controls and captions. */
  label: string;
  /** Empty where there is none, or where it differs with the size of the value. */
  unit: string;
  /** A value with its unit where that belongs to the number; axis labels are made by it as well. */
  format: (value: number) => string;
}

export const axes: Record<Axis, Quantity> = {
  step: { label: 'Step', unit: '', format: format.whole },
  tokens: { label: 'Training tokens', unit: 'tokens', format: format.count },
  time: { label: 'Training time', unit: '', format: format.duration },
};

export interface MetricQuantity extends Quantity {
  /** Whether it is noisy, so that a smoothed curve says more than its points. */
  noisy: boolean;
  of: (point: CurvePoint, run: Run) => number;
}

export const metrics: Record<Metric, MetricQuantity> = {
  loss: {
    label: 'Loss',
    unit: 'nats per token',
    noisy: true,
    format: format.loss,
    of: ({ loss }) => loss,
  },
  accuracy: {
    label: 'Validation accuracy',
    unit: '',
    noisy: false,
    format: format.percent,
    // A step has none: its curve is that of the validations.
    of: () => NaN,
  },
  learningRate: {
    label: 'Learning rate',
    unit: '',
    noisy: false,
    format: (value) => (value === 0 ? '0' : value.toExponential(2)),
    of: ({ learningRate }) => learningRate,
  },
  gradientNorm: {
    label: 'Gradient norm',
    unit: '',
    noisy: true,
    format: (value) => value.toPrecision(3),
    of: ({ gradientNorm }) => gradientNorm,
  },
  milliseconds: {
    label: 'Time per step',
    unit: '',
    noisy: true,
    format: format.milliseconds,
    of: ({ milliseconds }) => milliseconds,
  },
  tokensPerSecond: {
    label: 'Speed',
    unit: 'tokens per second',
    noisy: true,
    format: format.count,
    of: ({ milliseconds }, run) => (tokensPerStep(run.config) * 1000) / milliseconds,
  },
  tensorBytes: {
    label: 'Peak tensor memory',
    unit: '',
    noisy: false,
    format: format.bytes,
    of: ({ tensorBytes }) => tensorBytes,
  },
  rssBytes: {
    label: 'Memory of the process',
    unit: '',
    noisy: false,
    format: format.bytes,
    of: ({ rssBytes }) => rssBytes,
  },
};

/** A quantity in the unit that it has for these runs. */
export function quantityOf(metric: Metric, runs: readonly Run[]): MetricQuantity {
  return metric === 'loss' ? { ...metrics.loss, unit: lossUnit(runs) } : metrics[metric];
}

/** A formatted value without zeros at its end, as axes show round ones: `12M`, `1.5 GiB`, `5 min`. */
export function axisText(text: string): string {
  return text
    .replace(/(\.\d*?)0+(?=\D|$)/u, '$1')
    .replace(/\.(?=\D|$)/u, '')
    .replace(/ 00 (s|min)$/u, '');
}

/** `Loss (nats per token)`. */
export function titleOf({ label, unit }: Quantity): string {
  return unit === '' ? label : `${label} (${unit})`;
}
