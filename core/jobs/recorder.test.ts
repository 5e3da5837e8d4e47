import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SwitchyardError } from '../contract/errors.ts';
import type { StepMetric } from '../contract/records.ts';
import type { TrainEvent } from '../train/events.ts';
import type { Journal } from './journal.ts';
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
    log: (level, message) => void calls.push(`${level} ${message}`),
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
  assert.equal(recorder.close(), undefined);
  await later(60);
  assert.deepEqual(calls, ['metrics 1,2/0', 'metrics 3/0']);
});

test('a checkpoint is recorded at once, after the metrics up to its step', () => {
  const { calls, journal } = fakeJournal();
  const recorder = createRecorder(journal, { onFailure: unexpected });
  recorder.event(step(1));
  recorder.event(checkpoint(1));
  assert.deepEqual(calls, ['metrics 1/0', 'checkpoint 1']);
  recorder.close();
});

test('after a failure nothing more is recorded, and the failure is told once', () => {
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
  assert.equal(recorder.close()?.code, 'disk-full');
  assert.deepEqual(calls, []);
});
