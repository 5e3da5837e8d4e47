import { SwitchyardError } from '../contract/errors.ts';
import type { Checkpoint, Run } from '../contract/records.ts';
import { checkpointDamage } from '../jobs/checkpointFiles.ts';
import type { Context } from './context.ts';

/**
 * The checkpoint with the best validation loss, or the last one where none was validated yet or
 * `last` is asked for.
 * @throws SwitchyardError `not-found` when the run has none yet, `checkpoint-damaged` when it is gone
 *   or not whole; if the last one can be used instead, the message says so
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
  const root = directory.checkpoints(run.id);
  const reason = checkpointDamage(root, checkpoint.folder);
  if (reason === null) return checkpoint;
  const last = store.checkpoints.last(run.id);
  const lastIsWhole =
    last !== null && last.step !== checkpoint.step && checkpointDamage(root, last.folder) === null;
  const remedy = lastIsWhole
    ? ` The last checkpoint, of step ${last.step}, is whole: ask for the checkpoint "last".`
    : '';
  throw new SwitchyardError(
    'checkpoint-damaged',
    `The checkpoint of step ${checkpoint.step} of run ${run.id} ("${run.name}") is missing or damaged. ${reason}${remedy}`,
  );
}
