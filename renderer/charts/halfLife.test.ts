import assert from 'node:assert/strict';
import { test } from 'node:test';
import { automaticHalfLife, halfLifeWords, halfLives } from './halfLife.ts';

test('the automatic half-life is about one percent of a run, in round steps', () => {
  assert.equal(automaticHalfLife(5), 0);
  assert.equal(automaticHalfLife(600), 5);
  assert.equal(automaticHalfLife(30_000), 500);
});

test('half-lives of several runs are named from the least to the most', () => {
  assert.equal(halfLifeWords([5, 500, 20]), '5 to 500 steps');
  assert.equal(halfLifeWords([1, 1]), '1 step');
  assert.equal(halfLifeWords([0]), 'off');
  assert.equal(halfLifeWords([]), 'off');
});

test('the slider offers none, then round steps up to about a quarter of the run', () => {
  assert.deepEqual(halfLives(600), [0, 1, 2, 5, 10, 20, 50, 100]);
  assert.deepEqual(halfLives(3), [0, 1, 2, 5]);
  for (const length of [600, 30_000])
    assert.ok(halfLives(length).includes(automaticHalfLife(length)));
});
