import type { Recovered } from '../store/runOwnership.ts';
import type { Context } from './context.ts';
import { reconcileCheckpoints } from './reconcileCheckpoints.ts';
import { logRun } from './runJournal.ts';

/** Marks as interrupted, and tells everybody, what processes that are gone had in hand. */
export function recoverOrphans(context: Context): Recovered[] {
  const recovered = context.store.runs.recoverOrphans();
  for (const { run } of recovered) {
    reconcileCheckpoints(context, run.id, run.step);
    logRun(
      context,
      run.id,
      'warning',
      `The process that had this run in hand ended unexpectedly after step ${run.step}. Resuming goes on from its last checkpoint.`,
    );
    context.bus.emit({ type: 'run-changed', run });
  }
  return recovered;
}
