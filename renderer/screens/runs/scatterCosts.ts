/** Costs that quality can be plotted against. */
import * as format from '../../../core/contract/format.ts';
import type { PublishedPoint } from '../../../core/contract/paper.ts';
import type { Curve, Run } from '../../../core/contract/records.ts';

export interface ScatterCost {
  label: string;
  /** Of the axis, with unit. */
  title: string;
  format: (value: number) => string;
  /** It belongs to a device. */
  measured?: boolean;
  time?: boolean;
  /** The same of a row of the paper, where it prints one. */
  published?: (row: PublishedPoint) => number;
  /** @param curve the run's, where it has been read */
  value: (run: Run, curve: Curve | null) => number | null;
}

export const scatterCosts = {
  parameters: {
    label: 'Parameters',
    title: 'Parameters',
    format: format.count,
    value: (run) => run.parameters,
    published: (row) => row.parameters,
  },
  attentionMacs: {
    label: 'Attention MACs',
    title: 'Attention MACs, one layer and sequence',
    format: format.count,
    value: (run) => run.attentionMacs,
    published: (row) => row.macs,
  },
  attentionFloats: {
    label: 'Attention memory',
    title: 'Attention memory in floats, one layer and sequence',
    format: format.count,
    value: (run) => run.attentionFloats,
    published: (row) => row.floats,
  },
  macs: {
    label: 'Model MACs',
    title: 'Model MACs, one sequence',
    format: format.count,
    value: (run) => run.macs,
  },
  millisecondsPerStep: {
    label: 'Time per step',
    title: 'Measured time per step',
    format: format.milliseconds,
    measured: true,
    value: (run) => run.millisecondsPerStep,
  },
  peakTensorBytes: {
    label: 'Peak tensor memory',
    title: 'Peak tensor memory',
    format: format.bytes,
    measured: true,
    value: (run) => run.peakTensorBytes,
  },
  secondsToBest: {
    label: 'Training time to best',
    title: 'Training time to the best validation',
    format: format.duration,
    measured: true,
    time: true,
    value: ({ bestStep }, curve) =>
      curve?.validations.find(({ step }) => step === bestStep)?.elapsedSeconds ?? null,
  },
} as const satisfies Record<string, ScatterCost>;

export type CostKey = keyof typeof scatterCosts;
