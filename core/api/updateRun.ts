import { SwitchyardError } from '../contract/errors.ts';
import type { Input } from '../contract/protocol.ts';
import type { Run } from '../contract/records.ts';
import type { Context } from './context.ts';

/** Changes a run's name, tags or note, whoever has it in hand. */
export function updateRun(
  { store, bus }: Context,
  { run: reference, ...changes }: Input<'runs.update'>,
): Run {
  requireDistinct(changes.tags ?? []);
  const run = store.runs.update(store.runs.find(reference).id, changes);
  bus.emit({ type: 'run-changed', run });
  return run;
}

function requireDistinct(tags: readonly string[]): void {
  const twice = tags.find((tag, index) => tags.indexOf(tag) !== index);
  if (twice === undefined) return;
  throw new SwitchyardError(
    'invalid-argument',
    `runs.update: tags has "${twice}" more than once, but each tag may be given once.`,
  );
}
