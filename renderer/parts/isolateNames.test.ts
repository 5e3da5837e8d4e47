import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isolateNames } from './isolateNames.ts';

test('a name that reads from right to left is set apart, its sentence stays', () => {
  assert.equal(
    isolateNames('Deleted “שלום” and freed 3 MiB.'),
    'Deleted “\u2068שלום\u2069” and freed 3 MiB.',
  );
  assert.equal(isolateNames('No "سلام" here'), 'No "\u2068سلام\u2069" here');
});

test('a mark that turns the direction is kept inside its name', () => {
  assert.equal(isolateNames('“a\u202eb” is gone'), '“\u2068a\u202eb\u2069” is gone');
});

test('other sentences stay as they are', () => {
  assert.equal(
    isolateNames('Deleted “größer” and freed 3 MiB.'),
    'Deleted “größer” and freed 3 MiB.',
  );
});
