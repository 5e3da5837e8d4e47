import assert from 'node:assert/strict';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import type { StepMetric } from '../contract/records.ts';
import type { Store } from './database.ts';
import {
  addRun,
  failsWith,
  stepMetric,
  temporaryStore,
  validationMetric,
} from './testing/fixtures.ts';

const upTo = (last: number, first = 1): StepMetric[] =>
  Array.from({ length: last - first + 1 }, (_, index) => stepMetric(first + index));

function addCheckpoint(
  store: Store,
  runId: string,
  step: number,
  validationLoss: number | null,
  best = false,
) {
  return store.checkpoints.add({
    runId,
    step,
    folder: `step-${step}`,
    bytes: 3_000_000_000,
    validationLoss,
    best,
  });
}

/** Everything that is derived from a run's metrics. */
function summaryOf(store: Store, runId: string) {
  const { step, tokens, lastTrainLoss, lastValidationLoss, bestValidationLoss, bestStep, ...run } =
    store.runs.get(runId);
  return {
    step,
    tokens,
    lastTrainLoss,
    lastValidationLoss,
    bestValidationLoss,
    bestStep,
    millisecondsPerStep: run.millisecondsPerStep,
    peakTensorBytes: run.peakTensorBytes,
    peakRssBytes: run.peakRssBytes,
  };
}

test('metrics come back as they were appended, from a step on', (t) => {
  const store = temporaryStore(t);
  const runId = addRun(store);
  const other = addRun(store);
  store.metrics.append(other, upTo(3));
  const steps = upTo(5).map((step) => ({ ...step, loss: Math.PI / step.step }));
  const validations = [validationMetric(0, 5.5), validationMetric(4, 2.25)];
  store.metrics.append(runId, steps.slice(0, 2), validations.slice(0, 1));
  store.metrics.append(runId, steps.slice(2), validations.slice(1));
  assert.deepEqual(store.metrics.read(runId), { steps, validations });
  assert.deepEqual(store.metrics.read(runId, 4), {
    steps: steps.slice(3),
    validations: validations.slice(1),
  });
});

test('the run sums up what was appended', (t) => {
  const store = temporaryStore(t);
  const runId = addRun(store);
  store.metrics.append(
    runId,
    [stepMetric(1, { tensorBytes: 9_000_000 }), ...upTo(4, 2)],
    [validationMetric(2, 1.5), validationMetric(3, 1.5), validationMetric(4, 1.75)],
  );
  assert.deepEqual(summaryOf(store, runId), {
    step: 4,
    tokens: 4 * 4096,
    lastTrainLoss: 1,
    lastValidationLoss: 1.75,
    bestValidationLoss: 1.5,
    bestStep: 2,
    millisecondsPerStep: 12.5, // of 11, 12, 13, 14
    peakTensorBytes: 9_000_000,
    peakRssBytes: 5_000_000_004,
  });
});

test('accuracy is kept with its validation, and the last and the highest with the run', (t) => {
  const store = temporaryStore(t);
  const runId = addRun(store);
  const validations = [0.5, 0.75, 0.625].map((accuracy, index) => ({
    ...validationMetric(index + 1, 3 - index), // the lowest loss is not of the highest accuracy
    accuracy,
  }));
  store.metrics.append(runId, upTo(3), validations);
  assert.deepEqual(store.metrics.read(runId).validations, validations);
  const range = { fromStep: 0, toStep: 3, points: 10 };
  const drawn = store.metrics.curve(runId, range).validations;
  assert.deepEqual(
    drawn.map(({ accuracy }) => accuracy),
    [0.5, 0.75, 0.625],
  );
  const accuracies = () => {
    const { lastAccuracy, bestAccuracy } = store.runs.get(runId);
    return [lastAccuracy, bestAccuracy];
  };
  assert.deepEqual(accuracies(), [0.625, 0.75]);
  store.metrics.removeAfter(runId, 1);
  assert.deepEqual(accuracies(), [0.5, 0.5]);
  store.metrics.append(runId, [], [{ ...validationMetric(1, 3), accuracy: 0.25 }]);
  assert.deepEqual(accuracies(), [0.25, 0.25], 'replaced with its validation');
  assert.throws(
    () => store.metrics.append(runId, [], [{ ...validationMetric(2, 3), accuracy: NaN }]),
    failsWith('invalid-argument', /accuracy NaN/),
  );
});

test('a validation of a step that has one replaces it', (t) => {
  const store = temporaryStore(t);
  const runId = addRun(store);
  store.metrics.append(runId, upTo(2), [validationMetric(2, 1.5)]);
  store.metrics.append(runId, [], [validationMetric(2, 1.6)]);
  assert.equal(store.metrics.read(runId).validations.length, 1);
  assert.equal(summaryOf(store, runId).bestValidationLoss, 1.6);
});

test('the median is close while a run goes on, and exact when it ends', (t) => {
  const store = temporaryStore(t);
  const runId = addRun(store);
  store.runs.start(runId);
  for (const metric of upTo(1000)) store.metrics.append(runId, [metric]); // step n takes 10 + n ms
  const running = store.runs.get(runId).millisecondsPerStep ?? 0;
  assert.ok(running > 455 && running <= 510.5, `${running}`);
  assert.equal(store.runs.refreshMedian(runId).millisecondsPerStep, 510.5);
  store.metrics.append(runId, [stepMetric(1001)]);
  assert.equal(store.runs.finish(runId, { status: 'finished' }).millisecondsPerStep, 511);
});

test('a number that is not finite is refused, with everything in its batch', (t) => {
  const store = temporaryStore(t);
  const runId = addRun(store);
  for (const loss of [NaN, Infinity])
    assert.throws(
      () => store.metrics.append(runId, [stepMetric(1), stepMetric(2, { loss })]),
      failsWith('invalid-argument', new RegExp(`step 2 of run ${runId} has loss ${loss}`)),
    );
  assert.throws(
    () => store.metrics.append(runId, upTo(2), [validationMetric(2, NaN)]),
    failsWith('invalid-argument', /validation at step 2.*loss NaN/),
  );
  assert.deepEqual(store.metrics.read(runId), { steps: [], validations: [] });
  assert.equal(store.runs.get(runId).step, 0);
});

test('steps are recorded in order, each once, and only for a run that exists', (t) => {
  const store = temporaryStore(t);
  const runId = addRun(store);
  store.metrics.append(runId, [stepMetric(0), ...upTo(5)]);
  for (const batch of [[stepMetric(5)], [stepMetric(7), stepMetric(6)]])
    assert.throws(
      () => store.metrics.append(runId, batch),
      failsWith('invalid-argument', /recorded in order/),
    );
  assert.equal(store.runs.get(runId).step, 5);
  assert.throws(() => store.metrics.append('r-none', upTo(1)), failsWith('not-found', /r-none/));
});

test('removing later metrics leaves what an uninterrupted run had at that step', (t) => {
  const store = temporaryStore(t);
  const reference = addRun(store);
  const resumed = addRun(store);
  const early = [validationMetric(10, 2), validationMetric(20, 1.8)];
  store.metrics.append(reference, upTo(20), early);
  store.runs.refreshMedian(reference);

  store.metrics.append(resumed, upTo(20), early);
  addCheckpoint(store, resumed, 10, 2);
  addCheckpoint(store, resumed, 20, 1.8);
  store.metrics.append(resumed, upTo(35, 21), [validationMetric(30, 1.1)]);
  addCheckpoint(store, resumed, 30, 1.1, true);

  const removed = store.metrics.removeAfter(resumed, 20);
  assert.deepEqual(
    removed.checkpoints.map(({ folder }) => folder),
    ['step-30'],
  );
  assert.deepEqual(store.metrics.read(resumed), store.metrics.read(reference));
  assert.deepEqual(summaryOf(store, resumed), summaryOf(store, reference));
  assert.deepEqual(
    store.checkpoints.list(resumed).map(({ step, best }) => [step, best]),
    [
      [10, false],
      [20, true], // the best that is left
    ],
  );
  store.metrics.append(resumed, upTo(22, 21)); // and the run goes on from there
  assert.equal(store.runs.get(resumed).step, 22);
});

test('removing everything leaves an empty summary', (t) => {
  const store = temporaryStore(t);
  const [used, unused] = [addRun(store), addRun(store)];
  store.metrics.append(used, upTo(3), [validationMetric(3, 1)]);
  store.metrics.removeAfter(used, 0);
  assert.deepEqual(summaryOf(store, used), summaryOf(store, unused));
});

test('removing later metrics is all or nothing', (t) => {
  const store = temporaryStore(t);
  const runId = addRun(store);
  store.metrics.append(runId, upTo(5), [validationMetric(5, 1)]);
  addCheckpoint(store, runId, 5, 1, true);
  const everything = () => [
    store.metrics.read(runId),
    store.checkpoints.list(runId),
    store.runs.get(runId),
  ];
  const before = everything();
  const db = new Database(store.file);
  // Fails at the last of the three deletions.
  db.exec(`CREATE TRIGGER refuse BEFORE DELETE ON checkpoints
    BEGIN SELECT raise(ABORT, 'not today'); END`);
  assert.throws(() => store.metrics.removeAfter(runId, 2), failsWith('internal', /not today/));
  assert.deepEqual(everything(), before);
  db.exec('DROP TRIGGER refuse');
  db.close();
  store.metrics.removeAfter(runId, 2);
  assert.equal(store.runs.get(runId).step, 2);
});

test('a run has one best checkpoint, and the last is the latest', (t) => {
  const store = temporaryStore(t);
  const runId = addRun(store);
  assert.equal(store.checkpoints.last(runId), null);
  assert.equal(store.checkpoints.best(runId), null);
  const first = addCheckpoint(store, runId, 10, 2, true);
  assert.deepEqual(store.checkpoints.list(runId), [first]);
  addCheckpoint(store, runId, 20, 1.5, true);
  addCheckpoint(store, runId, 30, null);
  assert.equal(store.checkpoints.best(runId)?.step, 20);
  assert.equal(store.checkpoints.last(runId)?.step, 30);
  addCheckpoint(store, runId, 30, 1.4, true); // the same step, written again
  assert.deepEqual(
    store.checkpoints.list(runId).map(({ step, best }) => [step, best]),
    [
      [10, false],
      [20, false],
      [30, true],
    ],
  );
  store.checkpoints.remove(runId, 10);
  assert.equal(store.checkpoints.list(runId).length, 2);
});

test('a checkpoint that is forgotten leaves the best mark to the best of the others', (t) => {
  const store = temporaryStore(t);
  const runId = addRun(store);
  for (const [step, loss] of [
    [1, 3],
    [2, 2],
    [3, 2.5],
  ])
    addCheckpoint(store, runId, step, loss, step === 2);
  store.checkpoints.remove(runId, 2);
  assert.equal(store.checkpoints.best(runId)?.step, 3);
  store.checkpoints.remove(runId, 1);
  assert.equal(store.checkpoints.best(runId)?.step, 3);
});

test('a history is read in blocks that together are all of it', (t) => {
  const store = temporaryStore(t);
  const runId = addRun(store);
  const validations = [0, 3, 6, 9].map((step) => validationMetric(step, 2));
  store.metrics.append(runId, upTo(7), validations);
  const stepsOf = ({ steps, validations }: ReturnType<Store['metrics']['read']>) => [
    steps.map(({ step }) => step),
    validations.map(({ step }) => step),
  ];
  assert.deepEqual(stepsOf(store.metrics.readBlock(runId, -1, 3)), [
    [1, 2, 3],
    [0, 3],
  ]);
  assert.deepEqual(stepsOf(store.metrics.readBlock(runId, 3, 3)), [[4, 5, 6], [6]]);
  assert.deepEqual(stepsOf(store.metrics.readBlock(runId, 6, 3)), [[7], [9]]);
  assert.deepEqual(stepsOf(store.metrics.readBlock(runId, 7, 3)), [[], [9]]);
});
