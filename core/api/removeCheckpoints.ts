import { join } from 'node:path';
import { SwitchyardError } from '../contract/errors.ts';
import type { Input } from '../contract/protocol.ts';
import type { Checkpoint, Run } from '../contract/records.ts';
import { removeCheckpointFiles } from '../jobs/checkpointFiles.ts';
import type { Context } from './context.ts';
import { bytesOf } from './diskUsage.ts';
import { requireInactive } from './removeRun.ts';

/** Deletes a run's checkpoints of these steps: all of them, or none if one of them cannot be. */
export async function removeCheckpoints(
  { store, bus, directory }: Context,
  { run: reference, steps }: Input<'runs.removeCheckpoints'>,
): Promise<{ bytes: number }> {
  const { id } = store.runs.find(reference);
  const root = directory.checkpoints(id);
  const wanted = [...new Set(steps)];
  const sizes = store.checkpoints
    .list(id)
    .filter(({ step }) => wanted.includes(step))
    .map(({ folder }) => bytesOf(join(root, folder)));
  const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  // One transaction, so that nobody resumes the run in between.
  store.transaction(() => {
    const run = store.runs.get(id);
    requireInactive(run, 'lose checkpoints');
    const checkpoints = store.checkpoints.list(id);
    requireThere(run, checkpoints, wanted);
    requireResumable(run, checkpoints, wanted);
    for (const { step, folder } of checkpoints) {
      if (!wanted.includes(step)) continue;
      removeCheckpointFiles(root, folder);
      store.checkpoints.remove(id, step);
    }
  });
  bus.emit({ type: 'run-checkpoints-removed', runId: id, steps: wanted });
  return { bytes };
}

function requireThere(
  run: Run,
  checkpoints: readonly Checkpoint[],
  steps: readonly number[],
): void {
  const missing = steps.find((step) => !checkpoints.some((each) => each.step === step));
  if (missing === undefined) return;
  const there = checkpoints.map(({ step }) => step).join(', ');
  throw new SwitchyardError(
    'not-found',
    `Run ${run.id} ("${run.name}") has no checkpoint of step ${missing}. ${there === '' ? 'It has none.' : `It has those of step ${there}.`}`,
  );
}

/** What an unfinished run goes on from stays. */
function requireResumable(
  run: Run,
  checkpoints: readonly Checkpoint[],
  steps: readonly number[],
): void {
  const last = checkpoints.at(-1)?.step;
  if (run.status === 'finished' || last === undefined || !steps.includes(last)) return;
  throw new SwitchyardError(
    'conflict',
    `The checkpoint of step ${last} is the last one of run ${run.id} ("${run.name}"), which is ${run.status} and needs it to be resumed. Delete others, or the whole run.`,
  );
}
