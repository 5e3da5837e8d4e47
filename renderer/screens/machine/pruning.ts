/** Which checkpoints can go: all but the best and the last one of each run. */
import type { Checkpoint } from '../../../core/contract/records.ts';

export interface Prunable {
  runId: string;
  /** Of the checkpoints to delete. */
  steps: number[];
  /** What they take, as recorded when they were written. */
  bytes: number;
}

/** @param checkpoints all of the run's, in any order */
export function prunable(runId: string, checkpoints: readonly Checkpoint[]): Prunable {
  const last = Math.max(...checkpoints.map(({ step }) => step));
  const spare = checkpoints.filter(({ step, best }) => !best && step !== last);
  return {
    runId,
    steps: spare.map(({ step }) => step).sort((a, b) => a - b),
    bytes: spare.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
