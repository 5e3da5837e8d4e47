import { SwitchyardError } from '../contract/errors.ts';
import type { Run } from '../contract/records.ts';
import { requireTrainable } from '../jobs/beforeRun.ts';
import { clearBeyond, findResumePoint, type ResumePoint } from '../jobs/resumePoint.ts';
import type { Context } from './context.ts';
import { launchRun } from './launchRun.ts';
import { reconcileCheckpoints } from './reconcileCheckpoints.ts';
import { logRun } from './runJournal.ts';

/**
 * Lets a paused run go on; queues any other one again from its newest usable checkpoint, and forgets
 * what came after that.
 */
export async function resumeRun(context: Context, reference: string): Promise<Run> {
  const { store, bus, directory, devices, queue } = context;
  const found = store.runs.find(reference);
  if (found.status === 'paused' && (await queue.unpause(found.id))) return store.runs.get(found.id);
  requireUnfinished(found);
  await devices.require(found.backend, found.config.training.precision);
  queue.requireOpen();
  const { id } = found;

  // Claiming the run, looking for its checkpoint and removing its later metrics are one transaction:
  // until then another process may still train it, and write checkpoints that must not be missed.
  // Whoever loses the race for the run has changed nothing.
  const { before, point } = store.transaction(() => claim(context, id));
  bus.emit({ type: 'run-rewound', runId: id, step: point.step });
  try {
    clearBeyond(directory.checkpoints(id), point);
    explain(context, before, point);
    launchRun(context, store.runs.get(id), { resume: point.checkpoint !== null });
  } catch (error) {
    bus.emit({ type: 'run-changed', run: store.runs.finish(id, { status: 'interrupted' }) });
    throw error;
  }
  const run = store.runs.get(id);
  bus.emit({ type: 'run-changed', run });
  return run;
}

/** Takes the run in hand and brings its records back to the checkpoint that it goes on from. */
function claim(context: Context, id: string): { before: Run; point: ResumePoint } {
  const { store, directory } = context;
  const before = store.runs.get(id);
  requireUnfinished(before);
  store.runs.enqueue(id);
  const dataset = store.datasets.get(before.datasetId);
  requireTrainable(before.config, dataset, directory.dataset(dataset.id));
  const root = directory.checkpoints(id);
  const { validations } = store.metrics.read(id, before.step);
  const point = findResumePoint(root, before, ({ step, validationLoss }) => {
    const last = step === before.step; // its validation is recorded after it
    return step < before.step || (last && (validationLoss === null || validations.length > 0));
  });
  if (point.checkpoint === null) requireNoneRecorded(context, before, root);
  store.metrics.removeAfter(id, point.step);
  reconcileCheckpoints(context, id, point.step);
  return { before, point };
}

function requireUnfinished({ id, name, status, config }: Run): void {
  if (status !== 'finished') return;
  throw new SwitchyardError(
    'conflict',
    `Run ${id} ("${name}") has completed its ${config.training.steps} steps; there is nothing to resume.`,
  );
}

/** Starting over would throw away what a run has learned and recorded; only its owner may decide that. */
function requireNoneRecorded({ store }: Context, { id, name }: Run, root: string): void {
  const recorded = store.checkpoints.list(id).map(({ step }) => step);
  if (recorded.length === 0) return;
  throw new SwitchyardError(
    'checkpoint-damaged',
    `Run ${id} ("${name}") cannot be resumed: its checkpoints (of step ${recorded.join(', ')}) are gone from ${root}. Put them back, or start a new run.`,
  );
}

function explain(context: Context, run: Run, { step, damaged, checkpoint }: ResumePoint): void {
  for (const { folder, reason } of damaged)
    logRun(context, run.id, 'warning', `${reason} It was moved aside to damaged-${folder}.`);
  if (checkpoint === null)
    logRun(context, run.id, 'info', 'There is no checkpoint, so training begins again at step 1.');
  if (step > run.step)
    logRun(
      context,
      run.id,
      'warning',
      `Metrics of steps ${run.step + 1} to ${step} were not recorded before the process ended, and the only usable checkpoint is after them.`,
    );
}
