import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CurvePoint } from '../../../core/contract/records.ts';
import { lossWindow, recentLoss } from './recentLoss.ts';

const point = (step: number, loss: number, count: number): CurvePoint =>
  ({ step, loss, count }) as CurvePoint;

test('the recent loss weighs stretches by their steps and says how many it is over', () => {
  assert.equal(recentLoss([], 50), null);
  assert.deepEqual(recentLoss([point(1, 4, 1)], 50), { mean: 4, over: 1 });
  // Steps 1 to 90 lie too far back, the others are 8 of mean 2 and 2 of mean 1.
  const points = [point(90, 9, 90), point(98, 2, 8), point(100, 1, 2)];
  assert.deepEqual(recentLoss(points, 10), { mean: 1.8, over: 10 });
  assert.deepEqual(recentLoss(points, 5), { mean: 1.8, over: 10 });
});

test('the window grows with the run, so that its first losses do not linger', () => {
  assert.deepEqual([1, 26, 200, 6000].map(lossWindow), [1, 2, 20, 50]);
});
