/** What a person can do with a run, from every screen that shows one. */
import * as format from '../../core/contract/format.ts';
import { isActive, type Run } from '../../core/contract/records.ts';
import { core } from '../connection/core.svelte.ts';
import { router } from '../routing.svelte.ts';
import { attempt, notices } from './notices.svelte.ts';
import { questions } from './questions.svelte.ts';
import { runs } from './runs.svelte.ts';
import { longest } from './textLength.ts';

export const canPause = ({ status }: Run): boolean => status === 'running';
export const canStop = ({ status }: Run): boolean => isActive(status);
export const canResume = ({ status }: Run): boolean =>
  status === 'paused' || status === 'stopped' || status === 'interrupted' || status === 'failed';
export const canDelete = ({ status }: Run): boolean => !isActive(status);

async function change(run: Run, method: 'runs.pause' | 'runs.stop' | 'runs.resume'): Promise<void> {
  const changed = await attempt(() => core.call(method, { run: run.id }));
  if (changed !== undefined) runs.put(changed);
}

export const pause = (run: Run): Promise<void> => change(run, 'runs.pause');
export const stop = (run: Run): Promise<void> => change(run, 'runs.stop');
export const resume = (run: Run): Promise<void> => change(run, 'runs.resume');

/** Opens the form for a new run with this one's configuration and data. */
export function duplicate(run: Run): void {
  router.go({ screen: 'new', from: run.id, data: run.datasetId });
}

export async function rename(run: Run): Promise<void> {
  const name = await questions.text({
    title: 'Rename run',
    body: [],
    action: 'Rename',
    field: { label: 'Name', value: run.name, longest: longest.name },
  });
  if (name === null || name === run.name) return;
  await update(run, { name });
}

/** Returns whether it was changed. */
export async function update(
  run: Run,
  change: { name?: string; tags?: string[]; note?: string },
): Promise<boolean> {
  const changed = await attempt(() => core.call('runs.update', { run: run.id, ...change }));
  if (changed !== undefined) runs.put(changed);
  return changed !== undefined;
}

/** Asks first, with the space that it frees. Returns whether the run is gone. */
export async function remove(run: Run): Promise<boolean> {
  const usage = await attempt(() => core.call('disk.usage', {}));
  const bytes = usage?.runs.find(({ id }) => id === run.id)?.bytes ?? 0;
  const sure = await questions.confirm({
    title: `Delete “${run.name}”?`,
    body: [
      `Its curves (${format.plural(runs.stepOf(run), 'step')}), log and checkpoints are deleted, which frees ${format.bytes(bytes)}. This cannot be undone.`,
    ],
    action: 'Delete run',
    danger: true,
  });
  if (!sure) return false;
  const removed = await attempt(() => core.call('runs.remove', { run: run.id }));
  if (removed === undefined) return false;
  notices.done(`Deleted “${run.name}” and freed ${format.bytes(removed.bytes)}.`);
  return true;
}
