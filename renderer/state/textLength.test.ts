import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lengthProblem } from './textLength.ts';

test('a text that is too long is told with both lengths', () => {
  assert.equal(lengthProblem('The note', 'a'.repeat(20_000), 20_000), null);
  assert.equal(
    lengthProblem('The note', 'a'.repeat(20_001), 20_000),
    'The note has 20,001 characters, but may have at most 20,000.',
  );
});
