import { SwitchyardError } from '../contract/errors.ts';
import { isActive, type Run } from '../contract/records.ts';
import type { Context } from './context.ts';
import { recoverOrphans } from './recoverOrphans.ts';

/**
 * Asks a queued, running or paused run to checkpoint and end, and waits until it has. One whose process
 * has died is marked interrupted.
 */
export async function stopRun(context: Context, reference: string): Promise<Run> {
  const { store, queue } = context;
  const { id, name, status } = store.runs.find(reference);
  if (await queue.stop(id)) return store.runs.get(id);
  if (recoverOrphans(context).some(({ run }) => run.id === id)) return store.runs.get(id);
  throw new SwitchyardError(
    'conflict',
    isActive(status)
      ? `Run ${id} ("${name}") is ${status} in another process; stop it there.`
      : `Run ${id} ("${name}") is ${status} already; there is nothing to stop.`,
  );
}
