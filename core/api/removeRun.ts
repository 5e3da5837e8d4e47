import { SwitchyardError } from '../contract/errors.ts';
import { isActive, type Run } from '../contract/records.ts';
import type { Context } from './context.ts';
import { removeWithFolder } from './removal.ts';

/** Deletes a run that is not active: its rows, then its files. */
export async function removeRun(
  { store, bus, directory }: Context,
  reference: string,
): Promise<{ bytes: number }> {
  const run = store.runs.find(reference);
  requireInactive(run, 'be deleted');
  const bytes = await removeWithFolder(store, directory.runs, run.id, () =>
    store.runs.remove(run.id),
  );
  bus.emit({ type: 'run-removed', runId: run.id });
  return { bytes };
}

/** @param what completes "cannot …" */
export function requireInactive({ id, name, status }: Run, what: string): void {
  if (!isActive(status)) return;
  throw new SwitchyardError(
    'conflict',
    `Run ${id} ("${name}") is ${status} and cannot ${what}. Stop it first.`,
  );
}
