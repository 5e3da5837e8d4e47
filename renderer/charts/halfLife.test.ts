import assert from 'node:assert/strict';
import { test } from 'node:test';
import { automaticHalfLife, halfLives, typicalLength } from './halfLife.ts';

test('the automatic half-life is about one percent of a run, in round steps', () => {
  assert.equal(automaticHalfLife(5), 0);
  assert.equal(automaticHalfLife(600), 5);
  assert.equal(automaticHalfLife(30_000), 500);
});

test('the middle run decides, and those that have not begun do not count', () => {
  assert.equal(typicalLength([0, 600, 30_000, 500, 0]), 600);
  assert.equal(typicalLength([0]), 0);
});

test('the slider offers none, then round steps up to about a quarter of the run', () => {
  assert.deepEqual(halfLives(600), [0, 1, 2, 5, 10, 20, 50, 100]);
  assert.deepEqual(halfLives(3), [0, 1, 2, 5]);
  for (const length of [600, 30_000])
    assert.ok(halfLives(length).includes(automaticHalfLife(length)));
});
