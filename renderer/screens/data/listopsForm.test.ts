import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listopsOperators, listopsOptions } from '../../../core/contract/listops.ts';
import { readListops, usualTexts } from './listopsForm.ts';

test('an untouched form asks for what the core makes by itself', () => {
  assert.deepEqual(readListops(usualTexts, listopsOperators), {
    options: listopsOptions({}),
    errors: {},
  });
});

test('operators go out in their own order', () => {
  assert.deepEqual(readListops(usualTexts, ['MAX', 'MIN']).options?.operators, ['MIN', 'MAX']);
});

test('everything that is not usable is explained at its place', () => {
  const { options, errors } = readListops({ ...usualTexts, examples: '0', minLength: '90' }, []);
  assert.equal(options, null);
  assert.match(errors.examples ?? '', /^Examples is "0", but must be a whole number from 1/u);
  assert.match(errors.minLength ?? '', /is 90, but must be at most the longest, 60/u);
  assert.match(errors.operators ?? '', /at least one operator/u);
});
