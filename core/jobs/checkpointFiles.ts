/** Single checkpoints of a run that no trainer has in hand. */
import { SwitchyardError } from '../contract/errors.ts';
import { inspectCheckpoint, removeCheckpoint } from '../train/checkpoint.ts';

/** What is wrong with a checkpoint's files, as a sentence, or null. Looks at no tensor. */
export function checkpointDamage(root: string, folder: string): string | null {
  try {
    inspectCheckpoint(root, folder);
    return null;
  } catch (error) {
    if (error instanceof SwitchyardError) return error.message;
    throw error;
  }
}

/** Deletes a checkpoint's files, if they are there. @throws SwitchyardError `invalid-argument` (permission) */
export function removeCheckpointFiles(root: string, folder: string): void {
  removeCheckpoint(root, folder);
}
