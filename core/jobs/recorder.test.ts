import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import Database from 'better-sqlite3';
import { SwitchyardError } from '../contract/errors.ts';
import type { StepMetric } from '../contract/records.ts';
import type { TrainEvent } from '../train/events.ts';
import type { Journal } from './journal.ts';
import { openStore } from '../store/database.ts';
import { isDatabaseLocked } from '../store/sqliteErrors.ts';
import { addRun, temporaryFolder } from '../store/testing/fixtures.ts';
import { createRecorder } from './recorder.ts';

const metric = (step: number): StepMetric => ({
  step,
  loss: 1,
  gradientNorm: 1,
  learningRate: 1,
  milliseconds: 1,
  tokens: step,
  tensorBytes: 1,
  rssBytes: 1,
  elapsedSeconds: 1,
});
const step = (number: number): TrainEvent => ({ type: 'step', metric: metric(number) });
const checkpoint = (number: number): TrainEvent => ({
  type: 'checkpoint',
  step: number,
  folder: `step-${number}`,
  bytes: 1,
  validationLoss: null,
  best: false,
  removed: [],
});

/** Remembers calls as short texts; fails in `metrics` when told to. */
function fakeJournal() {
  const calls: string[] = [];
  const state = { full: false };
  const journal: Journal = {
    starting: () => undefined,
    started: () => void calls.push('started'),
    metrics: (steps, validations) => {
      if (state.full) throw new SwitchyardError('disk-full', 'The disk is full.');
      calls.push(`metrics ${steps.map((each) => each.step).join()}/${validations.length}`);
    },
    checkpoint: (event) => void calls.push(`checkpoint ${event.step}`),
    paused: (at) => void calls.push(`paused ${at}`),
    resumed: (at) => void calls.push(`resumed ${at}`),
    log: (level, message) => void calls.push(`${level} ${message}`),
    isBusy: isDatabaseLocked,
    ended: () => undefined,
  };
  return { calls, state, journal };
}

const unexpected = (error: SwitchyardError): never => {
  throw error;
};

const later = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

test('steps wait together for the interval, and are recorded once', async () => {
  const { calls, journal } = fakeJournal();
  const recorder = createRecorder(journal, { interval: 20, onFailure: unexpected });
  recorder.event(step(1));
  recorder.event(step(2));
  assert.deepEqual(calls, []);
  await later(60);
  assert.deepEqual(calls, ['metrics 1,2/0']);
  recorder.event(step(3));
  assert.equal(await recorder.close(), undefined);
  await later(60);
  assert.deepEqual(calls, ['metrics 1,2/0', 'metrics 3/0']);
});

test('a checkpoint is recorded at once, after the metrics up to its step', async () => {
  const { calls, journal } = fakeJournal();
  const recorder = createRecorder(journal, { onFailure: unexpected });
  recorder.event(step(1));
  recorder.event(checkpoint(1));
  assert.deepEqual(calls, ['metrics 1/0', 'checkpoint 1']);
  await recorder.close();
});

test('after a failure nothing more is recorded, and the failure is told once', async () => {
  const { calls, state, journal } = fakeJournal();
  const failures: string[] = [];
  const recorder = createRecorder(journal, { onFailure: ({ code }) => failures.push(code) });
  recorder.event(step(1));
  state.full = true;
  recorder.event(checkpoint(1));
  state.full = false;
  recorder.event(step(2));
  recorder.event(checkpoint(2));
  assert.deepEqual(calls, []);
  assert.deepEqual(failures, ['disk-full']);
  assert.equal((await recorder.close())?.code, 'disk-full');
  assert.deepEqual(calls, []);
});

/** A journal on a real database, which a second connection can lock. */
function lockableJournal(t: TestContext) {
  const file = join(temporaryFolder(t), 'switchyard.db');
  const store = openStore(file, { busyTimeout: 5 });
  const runId = addRun(store);
  const other = new Database(file);
  t.after(() => {
    other.close();
    store.close();
  });
  const { journal } = fakeJournal();
  const metrics: Journal['metrics'] = (steps, validations) =>
    store.metrics.append(runId, steps, validations);
  const recorded = () => store.metrics.read(runId).steps.map((each) => each.step);
  return { other, journal: { ...journal, metrics }, recorded };
}

test('while another process keeps the database locked, metrics wait; then all are there, in order', async (t) => {
  const { other, journal, recorded } = lockableJournal(t);
  const recorder = createRecorder(journal, { interval: 10, onFailure: unexpected });
  other.exec('BEGIN IMMEDIATE');
  recorder.event(step(1));
  recorder.event(checkpoint(1));
  await later(50);
  recorder.event(step(2));
  recorder.event(checkpoint(2));
  assert.deepEqual(recorded(), []);
  const closing = recorder.close();
  other.exec('ROLLBACK');
  assert.equal(await closing, undefined);
  assert.deepEqual(recorded(), [1, 2]);
});

test('a database that stays locked is a failure in the end', async (t) => {
  const { other, journal, recorded } = lockableJournal(t);
  const failures: string[] = [];
  const recorder = createRecorder(journal, {
    interval: 10,
    patience: 30,
    onFailure: ({ message }) => failures.push(message),
  });
  other.exec('BEGIN IMMEDIATE');
  recorder.event(step(1));
  assert.match(String(await recorder.close()), /kept locked by another process/);
  assert.equal(failures.length, 1);
  other.exec('ROLLBACK');
  assert.deepEqual(recorded(), []);
});
