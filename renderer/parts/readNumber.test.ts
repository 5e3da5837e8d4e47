import assert from 'node:assert/strict';
import { test } from 'node:test';
import { integer, number } from '../../core/contract/fields.ts';
import { readNumber } from './readNumber.ts';

const tokens = integer({ default: 200, min: 1, max: 100_000, label: 'Tokens', help: '' });
const temperature = number({ default: 1, min: 0, max: 100, label: 'Temperature', help: '' });

test('numbers within the bounds are read as typed', () => {
  assert.equal(readNumber(temperature, '1e-1'), 0.1);
  assert.equal(readNumber(tokens, ' 200 '), 200);
});

test('anything else is refused with what would be right', () => {
  for (const text of ['', ' ', '1.5', '0', '200000', '12 tokens', 'NaN', '0x10'])
    assert.throws(() => readNumber(tokens, text), {
      message: `Tokens is ${JSON.stringify(text)}, but must be a whole number from 1 to 100,000.`,
    });
});
