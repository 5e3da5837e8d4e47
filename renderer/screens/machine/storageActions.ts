/** Making space: deleting checkpoints that nothing needs, and exports. */
import * as format from '../../../core/contract/format.ts';
import { isActive, type ExportRecord, type Run } from '../../../core/contract/records.ts';
import { core } from '../../connection/core.svelte.ts';
import { desktop } from '../../connection/desktop.ts';
import { attempt, notices } from '../../state/notices.svelte.ts';
import { questions } from '../../state/questions.svelte.ts';
import { save } from '../../state/exports.ts';
import { prunable } from './pruning.ts';
import { usage } from './usage.svelte.ts';

export const canPrune = ({ status }: Run): boolean => !isActive(status);

/**
 * Deletes all checkpoints of these runs but each one's best and last, after one question that says
 * how many and how much that frees. Active runs are left alone.
 */
export async function prune(chosen: readonly Run[]): Promise<void> {
  const idle = chosen.filter(canPrune);
  const found = await attempt(() =>
    Promise.all(
      idle.map(async ({ id }) => prunable(id, await core.call('runs.checkpoints', { run: id }))),
    ),
  );
  if (found === undefined) return;
  const affected = found.filter(({ steps }) => steps.length > 0);
  if (affected.length === 0) {
    notices.done('There is nothing to prune: only best and last checkpoints are left.');
    return;
  }
  const checkpoints = affected.reduce((sum, { steps }) => sum + steps.length, 0);
  const bytes = affected.reduce((sum, prunableRun) => sum + prunableRun.bytes, 0);
  const what = format.plural(checkpoints, 'checkpoint');
  const active = chosen.length - idle.length;
  const sure = await questions.confirm({
    title: chosen.length === 1 ? `Prune “${chosen[0].name}”?` : 'Prune all runs?',
    body: [
      `${what} of ${format.plural(affected.length, 'run')} ${checkpoints === 1 ? 'is' : 'are'} deleted, which frees ${format.bytes(bytes)}. The best and the last checkpoint of every run stay, as do all curves. This cannot be undone.`,
      ...(active > 0 ? [`${format.plural(active, 'active run')} will be left as is.`] : []),
    ],
    action: `Delete ${what}`,
    danger: true,
  });
  if (!sure) return;
  let freed = 0;
  // One after the other; what fails is said and does not keep the others from being pruned.
  for (const { runId, steps } of affected) {
    const removed = await attempt(() => core.call('runs.removeCheckpoints', { run: runId, steps }));
    freed += removed?.bytes ?? 0;
  }
  if (freed > 0) notices.done(`Freed ${format.bytes(freed)} of checkpoints.`);
  void usage.read();
}

export async function removeExport({ name, bytes, files }: ExportRecord): Promise<void> {
  const sure = await questions.confirm({
    title: `Delete the export “${name}”?`,
    body: [
      `${format.plural(files.length, 'file')} with ${format.bytes(bytes)} ${files.length === 1 ? 'is' : 'are'} deleted. What you downloaded or copied elsewhere stays. This cannot be undone.`,
    ],
    action: 'Delete export',
    danger: true,
  });
  if (!sure) return;
  const removed = await attempt(() => core.call('exports.remove', { name }));
  if (removed !== undefined)
    notices.done(`Deleted “${name}” and freed ${format.bytes(removed.bytes)}.`);
  void usage.read();
}

/** All files of an export, one after the other. */
export async function download({ name, files }: ExportRecord): Promise<void> {
  await attempt(() =>
    save(
      name,
      files.map((file) => file.name),
    ),
  );
}

export async function showInFolder(path: string): Promise<void> {
  await attempt(async () => desktop?.showInFolder(path));
}
