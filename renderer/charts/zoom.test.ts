import assert from 'node:assert/strict';
import { test } from 'node:test';
import { panned, selected, zoomed } from './zoom.ts';

const whole = { low: 0, high: 1000, log: false };
const part = { low: 400, high: 600, log: false };

test('a selection is of the visible part, in either direction, and never beyond the whole', () => {
  assert.deepEqual(selected(whole, whole, 0.75, 0.25), [250, 750]);
  assert.deepEqual(selected(part, whole, 0, 0.5), [400, 500]);
  assert.deepEqual(selected(part, whole, -10, 0.5), [0, 500]);
  assert.equal(selected(whole, whole, 0, 1), null);
});

test('zooming in halves around the middle; zooming far out shows everything', () => {
  assert.deepEqual(zoomed(part, whole, 0.5), [450, 550]);
  assert.deepEqual(zoomed(part, whole, 2), [300, 700]);
  assert.equal(zoomed(part, whole, 20), null);
});

test('moving stops at the ends and keeps the width', () => {
  assert.deepEqual(panned(part, whole, 0.25), [450, 650]);
  assert.deepEqual(panned(part, whole, 99), [800, 1000]);
  assert.deepEqual(panned(part, whole, -99), [0, 200]);
  const [low, high] =
    panned({ low: 10, high: 100, log: true }, { low: 1, high: 1000, log: true }, 1) ?? [];
  assert.ok(Math.abs((low ?? 0) - 100) < 1e-6 && Math.abs((high ?? 0) - 1000) < 1e-6);
});
