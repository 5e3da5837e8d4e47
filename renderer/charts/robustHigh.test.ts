import assert from 'node:assert/strict';
import { test } from 'node:test';
import { robustHigh } from './robustHigh.ts';

const learned = Array.from({ length: 1000 }, (_, i) => 2 + i / 2000);

test('a spike decides, losses of a run that has diverged do not', () => {
  assert.equal(robustHigh([...learned, 7], 'loss', [5.5]), 7);
  const diverging = Array.from({ length: 900 }, () => 10_000);
  const high = robustHigh([...learned, ...diverging], 'loss', [5.5]);
  assert.ok(high >= 2.4 && high <= 2.5);
});

test('when nothing but a diverged run is shown, it decides', () => {
  assert.equal(robustHigh([9000, 10_000], 'loss', [5.5]), 10_000);
});

test('gradient norms: one of many is left out, the usual ones never are', () => {
  const norms = Array.from({ length: 1000 }, (_, i) => 0.5 + i / 1000);
  assert.ok(robustHigh([...norms, 1e9], 'gradientNorm', []) < 2);
  assert.equal(robustHigh([...norms, 12], 'gradientNorm', []), 12);
});

test('nothing, and nothing but zeros', () => {
  assert.equal(robustHigh([], 'loss', []), -Infinity);
  assert.equal(robustHigh([0, 0], 'gradientNorm', []), 0);
});
