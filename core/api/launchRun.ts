import type { Run } from '../contract/records.ts';
import type { Context } from './context.ts';
import { createRunJournal } from './runJournal.ts';

/** Gives a queued run to its device's queue; it starts when the device is free. */
export function launchRun(context: Context, run: Run, { resume }: { resume: boolean }): void {
  const { store, directory, queue } = context;
  const dataset = store.datasets.get(run.datasetId);
  queue.add({
    runId: run.id,
    task: {
      config: run.config,
      vocabulary: dataset.vocabulary,
      dataset: directory.dataset(dataset.id),
      trainTokens: dataset.trainTokens,
      validationTokens: dataset.validationTokens,
      backend: run.backend,
      checkpoints: directory.checkpoints(run.id),
      resume,
    },
    journal: createRunJournal(context, run.id),
  });
}
