/** What a run will take, from its configuration and from earlier runs. */
import type { ModelConfig, RunConfig } from '../../../core/contract/config.ts';
import { tokensPerStep } from '../../../core/contract/progress.ts';
import type { BackendName, Dataset, Run } from '../../../core/contract/records.ts';

/** A weight and two moments of AdamW, each float32. */
const checkpointBytesPerParameter = 12;

/** Bytes of all checkpoints that a run keeps at once: the newest ones and the best one. */
export function checkpointBytes(parameters: number, { training }: RunConfig): number {
  const written = Math.ceil(training.steps / training.checkpointEvery);
  const kept = Math.min(training.keepCheckpoints + 1, written);
  return parameters * checkpointBytesPerParameter * kept;
}

/** Training tokens of the whole run. */
export function tokensInAll(config: RunConfig): number {
  return tokensPerStep(config) * config.training.steps;
}

/** Time of all training steps in seconds, and the run that it was measured on. */
export interface TimeEstimate {
  seconds: number;
  from: Run;
}

/**
 * From the latest run that did the same work per step on the same backend; null where there is none.
 * @param runs newest first
 */
export function timeOf(
  config: RunConfig,
  vocabulary: number,
  backend: BackendName,
  runs: readonly Run[],
  datasetOf: (id: string) => Dataset | undefined,
): TimeEstimate | null {
  const from = runs.find(
    (run) =>
      run.backend === backend &&
      run.millisecondsPerStep !== null &&
      datasetOf(run.datasetId)?.vocabulary === vocabulary &&
      sameWork(run.config, config),
  );
  if (from?.millisecondsPerStep == null) return null;
  return { seconds: (from.millisecondsPerStep * config.training.steps) / 1000, from };
}

function sameWork(a: RunConfig, b: RunConfig): boolean {
  const sameModel = (Object.keys(a.model) as (keyof ModelConfig)[]).every(
    (key) => a.model[key] === b.model[key],
  );
  return (
    sameModel &&
    a.training.batch === b.training.batch &&
    a.training.accumulate === b.training.accumulate &&
    a.training.precision === b.training.precision
  );
}
