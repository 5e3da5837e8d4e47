import type { StepMetric, ValidationMetric } from '../contract/records.ts';

/** What training tells its host as it goes. Training itself stores nothing but checkpoints. */
export type TrainEvent =
  /** Before the first step: what the plan will need. */
  | { type: 'started'; device: string; parameters: number; plannedBytes: number; fromStep: number }
  | { type: 'step'; metric: StepMetric }
  | { type: 'validation'; metric: ValidationMetric }
  /** A checkpoint is complete on disk; `removed` are folders of older ones that were deleted. */
  | {
      type: 'checkpoint';
      step: number;
      folder: string;
      bytes: number;
      validationLoss: number | null;
      best: boolean;
      removed: string[];
    }
  /** After `step` and its checkpoint, training waits until it is told to go on or to stop. */
  | { type: 'paused'; step: number }
  | { type: 'resumed'; step: number }
  | { type: 'log'; level: 'info' | 'warning' | 'error'; message: string };

/** What somebody wants of a training run: that it trains, ends with a checkpoint, or waits after one. */
export type TrainRequest = 'go-on' | 'stop' | 'pause';

export interface TrainResult {
  reason: 'finished' | 'stopped';
  step: number;
}
