import { SwitchyardError } from '../contract/errors.ts';
import type { Run, RunStatus } from '../contract/records.ts';
import type { Context } from './context.ts';

/** Asks a running run to checkpoint and wait, and returns once it does, or has ended meanwhile. */
export async function pauseRun({ store, queue }: Context, reference: string): Promise<Run> {
  const run = store.runs.find(reference);
  const { id, status } = run;
  if (status === 'running' && (await queue.pause(id))) return store.runs.get(id);
  throw new SwitchyardError('conflict', `Run ${id} ("${run.name}") ${obstacle(status)}`);
}

/** Why a run of that status, or of another process, cannot be paused; completes a sentence. */
function obstacle(status: RunStatus): string {
  switch (status) {
    case 'queued':
      return 'is queued and has nothing to pause yet; stop it instead.';
    case 'running':
      return 'is running in another process; pause it there.';
    case 'paused':
      return 'is paused already.';
    default:
      return `is ${status} already; there is nothing to pause.`;
  }
}
