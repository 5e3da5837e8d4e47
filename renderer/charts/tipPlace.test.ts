import assert from 'node:assert/strict';
import { test } from 'node:test';
import { besidePointer } from './tipPlace.ts';

test('numbers stand beside the pointer, on the side with more room', () => {
  assert.equal(besidePointer(100, 200, 600), 114);
  assert.equal(besidePointer(500, 200, 600), 286);
});

test('they never leave the chart', () => {
  for (const pointer of [0, 150, 299, 301, 600])
    for (const tip of [200, 400, 600]) {
      const left = besidePointer(pointer, tip, 600);
      assert.ok(left >= 0 && left + tip <= 600);
    }
  assert.equal(besidePointer(300, 900, 600), 0);
});
