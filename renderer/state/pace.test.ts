import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freshRun } from '../../core/contract/testing/runRecord.ts';
import { resolveConfig } from '../../core/contract/resolveConfig.ts';
import type { Curve, CurvePoint, StepMetric } from '../../core/contract/records.ts';
import { paceOf, seeded, seedFrom, withSteps } from './pace.ts';

const config = resolveConfig({ training: { steps: 600, evaluateEvery: 100 } });
const running = freshRun({ status: 'running', config, step: 200, millisecondsPerStep: 100 });

const metric = (step: number, milliseconds = 100): StepMetric => ({
  ...{ step, milliseconds, loss: 2, gradientNorm: 1, learningRate: 1e-3, tokens: step * 2048 },
  ...{ tensorBytes: 1, rssBytes: 1, elapsedSeconds: step / 10 },
});
const metrics = (from: number, to: number, milliseconds = 100): StepMetric[] =>
  Array.from({ length: to - from + 1 }, (_, index) => metric(from + index, milliseconds));
const curve = (steps: readonly StepMetric[], summarised = false): Curve => ({
  ...{ steps: steps.length, summarised },
  points: steps.map((step): CurvePoint => ({ ...step, count: 1, lowest: 2, highest: 2 })),
  validations: [
    {
      ...{ step: 200, loss: 2, accuracy: null, tokens: 1, milliseconds: 5000 },
      ...{ trainedTokens: 1, elapsedSeconds: 20 },
    },
  ],
});

test('a few steps do not move the end: the run’s own median counts until there are enough', () => {
  assert.equal(paceOf(running, undefined)?.secondsLeft, 40);
  const few = paceOf(running, withSteps(undefined, metrics(201, 219, 900)));
  assert.equal(few?.perStep, 100);
  assert.equal(few.over, null);
  const enough = paceOf(running, withSteps(undefined, metrics(201, 220, 900)));
  assert.equal(enough?.perStep, 900);
  assert.equal(enough.over, 20);
});

test('a run that has no median yet is not judged by its first step', () => {
  const fresh = freshRun({ status: 'running', config });
  assert.equal(paceOf(fresh, undefined), null);
  assert.equal(paceOf(fresh, withSteps(undefined, metrics(1, 2, 3000))), null);
  assert.equal(
    paceOf(fresh, withSteps(undefined, [metric(1, 3000), ...metrics(2, 3)]))?.perStep,
    100,
  );
});

test('what was read goes before what was heard meanwhile, and no step counts twice', () => {
  assert.equal(seedFrom(running), 150);
  assert.equal(seedFrom({ ...running, step: 199 }), 100);
  const heard = withSteps(undefined, metrics(206, 207, 300));
  const live = seeded(curve(metrics(196, 206, 50)), heard);
  assert.deepEqual(live?.recent, [...Array<number>(10).fill(50), 300, 300]);
  assert.equal(live?.last.step, 207);
  assert.equal(live?.validation, 5000);
  // Four validations are ahead.
  assert.equal(paceOf(running, seeded(curve(metrics(151, 200)), undefined))?.secondsLeft, 60);
});

test('means of many steps do not pass for steps', () => {
  const live = seeded(curve(metrics(101, 200), true), undefined);
  assert.deepEqual(live?.recent, []);
  assert.equal(live?.last.step, 200);
});
