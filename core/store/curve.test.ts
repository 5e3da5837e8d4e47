import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StepMetric } from '../contract/records.ts';
import {
  addRun,
  failsWith,
  stepMetric,
  temporaryStore,
  validationMetric,
} from './testing/fixtures.ts';

const all = { fromStep: 0, toStep: Number.MAX_SAFE_INTEGER };
const upTo = (last: number): StepMetric[] =>
  Array.from({ length: last }, (_, i) => stepMetric(i + 1, { learningRate: 1 / (i + 1) }));
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

test('a short history is drawn as it is', (t) => {
  const store = temporaryStore(t);
  const runId = addRun(store);
  store.metrics.append(runId, upTo(10));
  const curve = store.metrics.curve(runId, { ...all, points: 10 });
  assert.equal(curve.steps, 10);
  assert.equal(curve.summarised, false);
  assert.deepEqual(
    curve.points,
    upTo(10).map((metric) => ({
      ...metric,
      count: 1,
      lowest: metric.loss,
      highest: metric.loss,
    })),
  );
});

test('a long history is summed up in stretches of equally many steps', (t) => {
  const store = temporaryStore(t);
  const runId = addRun(store);
  // Neither the loss nor the learning rate only rises or falls.
  const steps = upTo(103).map((metric) => ({
    ...metric,
    loss: Math.sin(metric.step) + 2,
    learningRate: Math.cos(metric.step) + 2,
  }));
  store.metrics.append(runId, steps);
  const curve = store.metrics.curve(runId, { ...all, points: 10 });
  assert.equal(curve.steps, 103);
  assert.equal(curve.summarised, true);
  assert.deepEqual(
    curve.points.map(({ step, count }) => [step, count]),
    [11, 22, 33, 44, 55, 66, 77, 88, 99, 103].map((step) => [step, step === 103 ? 4 : 11]),
  );
  for (const point of curve.points) {
    const stretch = steps.slice(point.step - point.count, point.step);
    const losses = stretch.map(({ loss }) => loss);
    const last = stretch.at(-1) as StepMetric;
    assert.ok(Math.abs(point.loss - mean(losses)) < 1e-12);
    assert.ok(Math.abs(point.milliseconds - mean(stretch.map((s) => s.milliseconds))) < 1e-9);
    assert.equal(point.lowest, Math.min(...losses));
    assert.equal(point.highest, Math.max(...losses));
    for (const field of ['tokens', 'learningRate', 'elapsedSeconds', 'tensorBytes'] as const)
      assert.equal(point[field], last[field], field);
  }
});

test('a part of a history is drawn between its two steps, both included', (t) => {
  const store = temporaryStore(t);
  const runId = addRun(store);
  store.metrics.append(
    runId,
    upTo(50),
    [5, 20, 30, 31].map((step) => validationMetric(step, step / 10)),
  );
  const curve = store.metrics.curve(runId, { fromStep: 20, toStep: 30, points: 4 });
  assert.equal(curve.steps, 11);
  assert.deepEqual(
    curve.points.map(({ step, count }) => [step, count]),
    [
      [22, 3],
      [25, 3],
      [28, 3],
      [30, 2],
    ],
  );
  assert.deepEqual(
    curve.validations.map(({ step, trainedTokens, elapsedSeconds, tokens }) => [
      step,
      trainedTokens,
      elapsedSeconds,
      tokens,
    ]),
    [
      [20, 20 * 4096, 0.2, 111_540],
      [30, 30 * 4096, 0.3, 111_540],
    ],
  );
});

test('a gap in the steps changes nothing but the points that are not there', (t) => {
  const store = temporaryStore(t);
  const runId = addRun(store);
  const recorded = upTo(1000).filter(({ step }) => step <= 3 || step > 997);
  store.metrics.append(runId, recorded, [validationMetric(500, 2)]);
  const fine = store.metrics.curve(runId, { ...all, points: 6 });
  assert.deepEqual(
    fine.points.map(({ step }) => step),
    [1, 2, 3, 998, 999, 1000],
  );
  assert.equal(fine.validations[0].trainedTokens, 3 * 4096);
  assert.equal(store.metrics.curve(runId, { ...all, points: 5 }).points.length, 2);
});

test('a run without history has an empty curve; an unknown run has none', (t) => {
  const store = temporaryStore(t);
  const runId = addRun(store);
  const empty = { steps: 0, summarised: false, points: [], validations: [] };
  assert.deepEqual(store.metrics.curve(runId, { ...all, points: 5 }), empty);
  assert.throws(
    () => store.metrics.curve('r-none', { ...all, points: 5 }),
    failsWith('not-found', /r-none/),
  );
});
