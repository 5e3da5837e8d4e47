import type { Run } from '../contract/records.ts';
import { checkpointsOnDisk } from '../jobs/resumePoint.ts';
import type { Context } from './context.ts';

/**
 * Makes the database's list of a run's checkpoints agree with its folder, where a crash or a full disk
 * came between the two: rows whose files are gone go, whole checkpoints without a row get one.
 * @param upTo step of the last checkpoint that may get a row; later ones have no metrics
 */
export function reconcileCheckpoints(
  { store, directory }: Pick<Context, 'store' | 'directory'>,
  { id, bestStep }: Run,
  upTo: number,
): void {
  const { folders, whole } = checkpointsOnDisk(directory.checkpoints(id));
  store.transaction(() => {
    const rows = store.checkpoints.list(id);
    for (const { step, folder } of rows)
      if (!folders.includes(folder)) store.checkpoints.remove(id, step);
    for (const { folder, header } of whole) {
      const { step, validationLoss, files } = header;
      if (step > upTo || rows.some((row) => row.folder === folder)) continue;
      const bytes = Object.values(files).reduce((sum, size) => sum + size, 0);
      const best = step === bestStep;
      store.checkpoints.add({ runId: id, step, folder, bytes, validationLoss, best });
    }
  });
}
