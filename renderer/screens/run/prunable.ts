/** Which checkpoints may go. */
import { isActive, type Checkpoint, type RunStatus } from '../../../core/contract/records.ts';

/** All but the best and the last. @param checkpoints in order of their steps */
export function prunable(checkpoints: readonly Checkpoint[]): Checkpoint[] {
  const last = checkpoints.at(-1);
  return checkpoints.filter((each) => !each.best && each !== last);
}

/** Why a checkpoint cannot be deleted now, as a sentence; null when it can. */
export function keptReason(
  status: RunStatus,
  checkpoints: readonly Checkpoint[],
  checkpoint: Checkpoint,
): string | null {
  if (isActive(status)) return 'It can be deleted once the run has ended.';
  if (status !== 'finished' && checkpoint === checkpoints.at(-1))
    return 'The run is not finished and needs its last checkpoint to be resumed.';
  return null;
}
