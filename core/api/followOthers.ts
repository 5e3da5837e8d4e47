/**
 * Other processes work in the same data directory: a run trained on the command line is to move in an
 * open app as well. SQLite tells whether anybody else has written; what changed is found by comparing.
 */
import type { CoreEvent } from '../contract/protocol.ts';
import type { Run } from '../contract/records.ts';
import type { Context } from './context.ts';

/** Between two looks, in milliseconds. */
const lookEvery = 1000;

/** Tells the listeners what other processes change, until the returned function is called. */
export function followOthers({ store, bus }: Context): () => void {
  const unchanged = store.createChangeDetector();
  let runs = byId(store.runs.list());
  let datasets = byId(store.datasets.list());
  const told = createTold(runs.values());
  // Hears this core's own events too, so that nothing of its own runs is told again.
  const unsubscribe = bus.subscribe((event) => told.hear(event));

  const followRun = (run: Run): void => {
    const before = runs.get(run.id);
    if (same(before, run)) return;
    const { step, validation } = told.of(run.id);
    if (run.step < step) bus.emit({ type: 'run-rewound', runId: run.id, step: run.step });
    const from = Math.min(step, validation, run.step) + 1;
    const history = store.metrics.read(run.id, from);
    const steps = history.steps.filter((metric) => metric.step > told.of(run.id).step);
    if (steps.length > 0) bus.emit({ type: 'run-steps', runId: run.id, steps });
    for (const metric of history.validations)
      if (metric.step > told.of(run.id).validation)
        bus.emit({ type: 'run-validation', runId: run.id, validation: metric });
    bus.emit({ type: 'run-changed', run });
  };
  const look = (): void => {
    if (unchanged()) return;
    const nowRuns = byId(store.runs.list());
    const nowDatasets = byId(store.datasets.list());
    for (const dataset of nowDatasets.values())
      if (!same(datasets.get(dataset.id), dataset)) bus.emit({ type: 'dataset-changed', dataset });
    for (const run of nowRuns.values()) followRun(run);
    for (const runId of runs.keys())
      if (!nowRuns.has(runId)) bus.emit({ type: 'run-removed', runId });
    for (const datasetId of datasets.keys())
      if (!nowDatasets.has(datasetId)) bus.emit({ type: 'dataset-removed', datasetId });
    runs = nowRuns;
    datasets = nowDatasets;
  };
  const timer = setInterval(() => {
    try {
      look();
    } catch (error) {
      // A database that is locked or on a full disk is looked at again.
      process.emitWarning(error instanceof Error ? error : new Error(String(error)));
    }
  }, lookEvery);
  timer.unref();
  return () => {
    clearInterval(timer);
    unsubscribe();
  };
}

/** Which steps of each run the listeners know. */
function createTold(runs: Iterable<Run>) {
  const told = new Map<string, { step: number; validation: number }>();
  for (const { id, step } of runs) told.set(id, { step, validation: step });
  const of = (runId: string) => told.get(runId) ?? { step: 0, validation: 0 };
  return {
    of,
    hear: (event: CoreEvent): void => {
      if (event.type === 'run-steps')
        told.set(event.runId, { ...of(event.runId), step: event.steps.at(-1)?.step ?? 0 });
      if (event.type === 'run-validation')
        told.set(event.runId, { ...of(event.runId), validation: event.validation.step });
      if (event.type === 'run-rewound')
        told.set(event.runId, { step: event.step, validation: event.step });
      if (event.type === 'run-removed') told.delete(event.runId);
    },
  };
}

const byId = <T extends { id: string }>(list: readonly T[]): Map<string, T> =>
  new Map(list.map((each) => [each.id, each]));

const same = (a: object | undefined, b: object): boolean => JSON.stringify(a) === JSON.stringify(b);
