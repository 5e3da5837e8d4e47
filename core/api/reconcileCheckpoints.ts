import { checkpointsOnDisk } from '../jobs/resumePoint.ts';
import type { Context } from './context.ts';

/**
 * Makes the database's list of a run's checkpoints agree with its folder, where a crash or a full disk
 * came between the two: rows whose files are gone go, whole checkpoints without a row get one.
 * @param upTo step of the last checkpoint that may get a row; later ones have no metrics
 */
export function reconcileCheckpoints(
  { store, directory }: Pick<Context, 'store' | 'directory'>,
  runId: string,
  upTo: number,
): void {
  store.transaction(() => {
    // Inside the transaction: another process may have the run in hand by now and be adding to both.
    const { folders, whole } = checkpointsOnDisk(directory.checkpoints(runId));
    const usable = whole.filter(({ header }) => header.step <= upTo);
    // The newest one knows which is the best; the database may have missed that validation.
    const bestStep = usable.at(-1)?.header.bestStep;
    const rows = store.checkpoints.list(runId);
    for (const { step, folder } of rows)
      if (!folders.includes(folder)) store.checkpoints.remove(runId, step);
    for (const { folder, header } of usable) {
      if (rows.some((row) => row.folder === folder)) continue;
      const { step, validationLoss, files } = header;
      const bytes = Object.values(files).reduce((sum, size) => sum + size, 0);
      store.checkpoints.add({
        runId,
        step,
        folder,
        bytes,
        validationLoss,
        best: step === bestStep,
      });
    }
  });
}
