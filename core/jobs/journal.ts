import type { StepMetric, ValidationMetric } from '../contract/records.ts';
import type { TrainEvent } from '../train/events.ts';
import type { TrainingEnd } from './training.ts';

export type TrainEventOf<T extends TrainEvent['type']> = Extract<TrainEvent, { type: T }>;

/**
 * Where a run's history is kept. Jobs know no database: the api layer gives them one of these for
 * every run. Methods throw a `SwitchyardError` when what they were given could not be kept.
 */
export interface Journal {
  /** The device is free and training is about to begin. */
  starting(): void;
  started(event: TrainEventOf<'started'>): void;
  /** Everything of one call is kept, or nothing. */
  metrics(steps: readonly StepMetric[], validations: readonly ValidationMetric[]): void;
  /** Its files are complete, and the metrics up to its step are kept. */
  checkpoint(event: TrainEventOf<'checkpoint'>): void;
  /** It waits, after its checkpoint of that step was kept; and it goes on. */
  paused(step: number): void;
  resumed(step: number): void;
  log(level: 'info' | 'warning' | 'error', message: string): void;
  /** Whether what one of the others threw may pass, so that calling it again later may help. */
  isBusy(error: unknown): boolean;
  /** The last call. Must not throw. */
  ended(end: TrainingEnd): void;
}
