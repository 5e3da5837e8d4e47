/** A run's history goes to the database, and from there to everybody who listens. */
import { SwitchyardError, toErrorRecord } from '../contract/errors.ts';
import type { Journal } from '../jobs/journal.ts';
import type { TrainingEnd } from '../jobs/training.ts';
import type { Context } from './context.ts';
import { isDatabaseLocked } from '../store/sqliteErrors.ts';
import { reconcileCheckpoints } from './reconcileCheckpoints.ts';

/** Between attempts to record how a run ended, while the disk is full or the database locked. */
const retryEvery = 1000; // ms

/** Appends a line to a run's log and tells the listeners. */
export function logRun(
  { store, bus }: Pick<Context, 'store' | 'bus'>,
  runId: string,
  level: 'info' | 'warning' | 'error',
  message: string,
): void {
  const entry = { runId, level, message, time: new Date().toISOString() };
  store.logs.append(entry);
  bus.emit({ type: 'run-log', ...entry });
}

/** The journal of one run. */
export function createRunJournal(context: Context, runId: string): Journal {
  const { store, bus } = context;
  const changed = (): void => bus.emit({ type: 'run-changed', run: store.runs.get(runId) });
  const log: Journal['log'] = (level, message) => logRun(context, runId, level, message);
  return {
    starting: () => {
      store.runs.start(runId);
      changed();
    },
    started: ({ device, fromStep, plannedBytes }) => {
      store.runs.setDevice(runId, device);
      const mebibytes = Math.ceil(plannedBytes / 2 ** 20);
      log(
        'info',
        `Training on ${device}${fromStep > 0 ? ` from step ${fromStep + 1}` : ''}; its plan needs ${mebibytes} MiB.`,
      );
      changed();
    },
    metrics: (steps, validations) => {
      store.metrics.append(runId, steps, validations);
      if (steps.length > 0) bus.emit({ type: 'run-steps', runId, steps: [...steps] });
      for (const validation of validations) bus.emit({ type: 'run-validation', runId, validation });
    },
    checkpoint: ({ removed, step, folder, bytes, validationLoss, best }) => {
      // Rows of deleted files go first: the new row is written durably, and with it all before it.
      const gone = store.checkpoints.list(runId).filter((row) => removed.includes(row.folder));
      store.transaction(() => {
        for (const row of gone) store.checkpoints.remove(runId, row.step);
      });
      const row = { runId, step, folder, bytes, validationLoss, best };
      bus.emit({ type: 'run-checkpoint', checkpoint: store.checkpoints.add(row) });
      if (gone.length > 0)
        bus.emit({ type: 'run-checkpoints-removed', runId, steps: gone.map((each) => each.step) });
      changed();
    },
    paused: (step) => {
      store.runs.setPaused(runId, true);
      log('info', `Paused after step ${step}; its checkpoint is written.`);
      changed();
    },
    resumed: () => {
      store.runs.setPaused(runId, false);
      log('info', 'Going on after the pause.');
      changed();
    },
    log,
    isBusy: isDatabaseLocked,
    ended: (end) => endRun(context, runId, end),
  };
}

/**
 * Records how a run ended. While that cannot be recorded, listeners are told all the same, and it is
 * tried again; if the process ends first, the next one finds the run and marks it interrupted.
 */
function endRun(context: Context, runId: string, end: TrainingEnd): void {
  const { store, bus } = context;
  const attempt = (): void => {
    const before = store.runs.get(runId);
    if ('error' in end) reconcileCheckpoints(context, runId, before.step);
    const run = store.runs.finish(
      runId,
      end.status === 'interrupted' ? { status: 'interrupted' } : end,
    );
    try {
      if ('error' in end) logRun(context, runId, 'error', end.error.message);
    } finally {
      bus.emit({ type: 'run-changed', run });
    }
  };
  try {
    attempt();
  } catch (error) {
    const record = 'error' in end ? end.error : toErrorRecord(error);
    bus.emit({
      type: 'run-changed',
      run: { ...store.runs.get(runId), status: 'failed', error: record },
    });
    retry(attempt);
  }
}

function retry(attempt: () => void): void {
  setTimeout(() => {
    try {
      attempt();
    } catch (error) {
      // A run in other hands or a closed database will not get better; these will.
      const full = error instanceof SwitchyardError && error.code === 'disk-full';
      if (full || isDatabaseLocked(error)) retry(attempt);
    }
  }, retryEvery).unref();
}
