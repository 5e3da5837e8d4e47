import { SwitchyardError } from '../contract/errors.ts';
import type { Input } from '../contract/protocol.ts';
import type { Curve } from '../contract/records.ts';
import type { Context } from './context.ts';

/** A run's history for drawing, summed up to at most so many points. */
export function readCurve(
  { store }: Context,
  { run, fromStep = 0, toStep = Number.MAX_SAFE_INTEGER, points = 2000 }: Input<'runs.curve'>,
): Curve {
  if (fromStep > toStep)
    throw new SwitchyardError(
      'invalid-argument',
      `runs.curve: fromStep is ${fromStep}, but must be at most toStep, which is ${toStep}.`,
    );
  return store.metrics.curve(store.runs.find(run).id, { fromStep, toStep, points });
}
