import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Curve, StepMetric } from '../../core/contract/records.ts';
import { withSteps, withValidation } from './curveGrowth.ts';

const empty: Curve = { steps: 0, summarised: false, points: [], validations: [] };

function metric(step: number): StepMetric {
  return {
    ...{ step, loss: 1 / step, gradientNorm: 1, learningRate: 1e-3, milliseconds: 10 },
    ...{ tokens: step * 64, tensorBytes: 100, rssBytes: 200, elapsedSeconds: step / 100 },
  };
}
const range = (from: number, to: number): StepMetric[] =>
  Array.from({ length: to - from + 1 }, (_, index) => metric(from + index));

test('steps that were read already are not added again, however late their events come', () => {
  const read = withSteps(empty, range(1, 50));
  const late = withSteps(read, range(41, 60));
  assert.deepEqual(
    late.points.map(({ step }) => step),
    range(1, 60).map(({ step }) => step),
  );
  assert.equal(late.steps, 60);
  assert.equal(withSteps(late, range(30, 60)), late, 'nothing new: nothing is redrawn');
});

test('a summarised curve goes on at full resolution after its last stretch', () => {
  const stretch = {
    ...withSteps(empty, range(100, 100)).points[0],
    count: 100,
    lowest: 0,
    highest: 2,
  };
  const curve = withSteps(
    { ...empty, steps: 100, summarised: true, points: [stretch] },
    range(99, 102),
  );
  assert.deepEqual(
    curve.points.map(({ step, count }) => [step, count]),
    [
      [100, 100],
      [101, 1],
      [102, 1],
    ],
  );
});

test('a validation is placed at its step on every axis, once', () => {
  const validation = { step: 10, loss: 2, accuracy: null, tokens: 512, milliseconds: 30 };
  const curve = withValidation(withSteps(empty, range(1, 10)), validation);
  assert.deepEqual(curve.validations, [{ ...validation, trainedTokens: 640, elapsedSeconds: 0.1 }]);
  assert.equal(withValidation(curve, validation), curve);
});
