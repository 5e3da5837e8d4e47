import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readNumber, sampleFields } from './sampleFields.ts';

test('numbers within the bounds are read as typed', () => {
  assert.equal(readNumber(sampleFields.temperature, '1e-1'), 0.1);
  assert.equal(readNumber(sampleFields.tokens, ' 200 '), 200);
});

test('anything else is refused with what would be right', () => {
  for (const text of ['', ' ', '1.5', '0', '200000', '12 tokens', 'NaN', '0x10'])
    assert.throws(() => readNumber(sampleFields.tokens, text), {
      message: `Tokens is ${JSON.stringify(text)}, but must be a whole number from 1 to 100,000.`,
    });
});
