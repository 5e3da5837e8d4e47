import assert from 'node:assert/strict';
import { test } from 'node:test';
import { niceStep, shareOf, ticks, timeTicks, valueAt } from './scale.ts';

const linear = (low: number, high: number) => ({ low, high, log: false });
const log = (low: number, high: number) => ({ low, high, log: true });

test('a place in the plot and its value are inverses, on both kinds of axis', () => {
  for (const scale of [linear(-3, 7), log(2, 2000)])
    for (const share of [0, 0.25, 0.5, 1])
      assert.ok(Math.abs(shareOf(scale, valueAt(scale, share)) - share) < 1e-12);
  assert.ok(Math.abs(valueAt(log(1, 10_000), 0.5) - 100) < 1e-9);
});

test('ticks are round, inside, and not more than asked for', () => {
  assert.deepEqual(ticks(linear(0, 600), 6), [0, 100, 200, 300, 400, 500, 600]);
  assert.deepEqual(ticks(linear(1.62, 1.79), 4), [1.65, 1.7, 1.75]);
  assert.deepEqual(ticks(linear(0.1, 0.3), 2), [0.1, 0.2, 0.3]);
  assert.equal(niceStep({ low: 0, high: 1e-7 }, 5), 2e-8);
});

test('logarithmic ticks are digits of decades; within less than a decade plain multiples', () => {
  assert.deepEqual(ticks(log(1, 1000), 20), [1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 300, 500, 1000]);
  assert.deepEqual(ticks(log(1, 1e6), 8), [1, 10, 100, 1000, 10_000, 100_000, 1e6]);
  assert.deepEqual(ticks(log(1.6, 1.9), 4), [1.6, 1.7, 1.8, 1.9]);
});

test('times are round in seconds, minutes, hours and days', () => {
  assert.deepEqual(timeTicks(linear(0, 100), 6), [0, 20, 40, 60, 80, 100]);
  assert.deepEqual(timeTicks(linear(0, 1000), 4), [0, 300, 600, 900]);
  assert.deepEqual(timeTicks(linear(0, 20_000), 6), [0, 3600, 7200, 10_800, 14_400, 18_000]);
  assert.deepEqual(timeTicks(linear(0, 600_000), 4), [0, 172_800, 345_600, 518_400]);
  assert.deepEqual(timeTicks(log(1, 4000), 9), [1, 3, 10, 30, 60, 180, 600, 1800, 3600]);
});
