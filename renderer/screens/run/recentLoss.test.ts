import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CurvePoint } from '../../../core/contract/records.ts';
import { recentLoss } from './recentLoss.ts';

const point = (step: number, loss: number, count: number): CurvePoint =>
  ({ step, loss, count }) as CurvePoint;

test('the recent loss weighs stretches by their steps', () => {
  assert.equal(recentLoss([], 50), null);
  assert.equal(recentLoss([point(1, 4, 1)], 50), 4);
  // Steps 1 to 90 lie too far back, the others are 8 of mean 2 and 2 of mean 1.
  assert.equal(recentLoss([point(90, 9, 90), point(98, 2, 8), point(100, 1, 2)], 10), 1.8);
});
