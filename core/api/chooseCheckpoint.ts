import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SwitchyardError } from '../contract/errors.ts';
import type { Checkpoint, Run } from '../contract/records.ts';
import type { Context } from './context.ts';

/**
 * The checkpoint with the best validation loss, or the last one where none was validated yet or
 * `last` is asked for.
 * @throws SwitchyardError `not-found` when the run has none yet, `checkpoint-damaged` when it is gone
 */
export function chooseCheckpoint(
  { store, directory }: Context,
  run: Run,
  which: 'best' | 'last' = 'best',
): Checkpoint {
  const best = which === 'best' ? store.checkpoints.best(run.id) : null;
  const checkpoint = best ?? store.checkpoints.last(run.id);
  if (checkpoint === null)
    throw new SwitchyardError(
      'not-found',
      `Run ${run.id} ("${run.name}") has no checkpoint (status: ${run.status}, step ${run.step}); one is written every ${run.config.training.checkpointEvery} steps.`,
    );
  const folder = join(directory.checkpoints(run.id), checkpoint.folder);
  const last = store.checkpoints.last(run.id);
  const remedy = last?.step === checkpoint.step ? '' : ' The last checkpoint may be used instead.';
  if (!existsSync(folder))
    throw new SwitchyardError(
      'checkpoint-damaged',
      `The checkpoint of step ${checkpoint.step} of run ${run.id} ("${run.name}") is missing: there is no folder ${folder}.${remedy}`,
    );
  return checkpoint;
}
