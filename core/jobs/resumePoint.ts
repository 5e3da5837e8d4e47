/** Where a run can go on from: its checkpoints on disk against what the database knows. */
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SwitchyardError } from '../contract/errors.ts';
import type { Run } from '../contract/records.ts';
import {
  checkpointFolders,
  inspectCheckpoint,
  type CheckpointHeader,
  type FoundCheckpoint,
} from '../train/checkpoint.ts';

export interface ResumePoint {
  /** Null: there is no checkpoint, so the run begins again. */
  checkpoint: FoundCheckpoint | null;
  /** Step of the checkpoint, or 0. */
  step: number;
  /** Folders of later checkpoints that cannot be used, and why. */
  damaged: { folder: string; reason: string }[];
  /** Folders of whole checkpoints later than the resume point. */
  ahead: string[];
}

/**
 * Looks for the newest whole checkpoint whose metrics have all been recorded. A kill can come
 * between a checkpoint's last byte and the recording of its metrics; going on from such a one would
 * leave a gap in the curve, so it is only used when there is no earlier one.
 * @param isRecorded whether every metric up to that checkpoint is in the database
 * @throws SwitchyardError `checkpoint-damaged` when there are checkpoints but none is whole
 */
export function findResumePoint(
  root: string,
  run: Run,
  isRecorded: (header: CheckpointHeader) => boolean,
): ResumePoint {
  const damaged: ResumePoint['damaged'] = [];
  const whole: FoundCheckpoint[] = []; // newest first
  for (const folder of checkpointFolders(root).reverse()) {
    const found = inspect(root, folder);
    if ('reason' in found) damaged.push(found);
    else whole.push(found);
    if ('header' in found && isRecorded(found.header)) break;
  }
  const checkpoint = whole.at(-1) ?? null;
  if (checkpoint === null && damaged.length > 0)
    throw new SwitchyardError(
      'checkpoint-damaged',
      `Run ${run.id} ("${run.name}") cannot be resumed, none of its checkpoints is whole. ${damaged[0].reason} Start a new run.`,
    );
  return {
    checkpoint,
    step: checkpoint?.header.step ?? 0,
    damaged,
    ahead: whole.slice(0, -1).map(({ folder }) => folder),
  };
}

/** Checkpoint folders by name, and those of them that are whole, oldest first. */
export function checkpointsOnDisk(root: string): { folders: string[]; whole: FoundCheckpoint[] } {
  const folders = checkpointFolders(root);
  const found = folders.map((folder) => inspect(root, folder));
  return { folders, whole: found.filter((each) => 'header' in each) };
}

function inspect(
  root: string,
  folder: string,
): FoundCheckpoint | { folder: string; reason: string } {
  try {
    return inspectCheckpoint(root, folder);
  } catch (error) {
    if (!(error instanceof SwitchyardError)) throw error;
    return { folder, reason: error.message };
  }
}

/**
 * Makes the resume point the newest checkpoint in the folder. Damaged ones are moved aside, not
 * deleted: somebody may want to see what happened to them.
 */
export function clearBeyond(root: string, { damaged, ahead }: ResumePoint): void {
  for (const { folder } of damaged) {
    const aside = join(root, `damaged-${folder}`);
    rmSync(aside, { recursive: true, force: true });
    renameSync(join(root, folder), aside);
  }
  for (const folder of ahead) rmSync(join(root, folder), { recursive: true, force: true });
}
