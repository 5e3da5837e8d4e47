import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findJsonFault } from './jsonFault.ts';

test('agrees with JSON.parse on what is JSON', () => {
  const texts = [
    '{}',
    '[]',
    ' [1, 2.5e-3, -0, true, false, null, "a\\"\\u00e9"] ',
    '{"a": {"b": []}}',
    '"x"',
    '3',
    '',
    '{',
    '{"a"}',
    '{"a": }',
    '{"a": 1,}',
    '{a: 1}',
    '[1 2]',
    '[1,]',
    '01',
    '1.',
    '+1',
    '.5',
    'tru',
    'truex',
    '{"a": 1} x',
    '"a',
    '"a\nb"',
    '"\\x"',
    "{'a': 1}",
    '{"a": 1 // why\n}',
    '\u00a01',
  ];
  for (const text of texts) {
    let valid = true;
    try {
      JSON.parse(text);
    } catch {
      valid = false;
    }
    assert.equal(findJsonFault(text) === undefined, valid, JSON.stringify(text));
  }
});

test('says where and what', () => {
  assert.deepEqual(findJsonFault('{\n "a": 1\n "b": 2}'), {
    line: 3,
    column: 2,
    expected: '"," or "}"',
    found: '"\\""',
  });
  assert.equal(findJsonFault('{"a": [1')?.found, 'the end of the file');
  assert.deepEqual(findJsonFault('{"a": 1} 🙂'), {
    line: 1,
    column: 10,
    expected: 'nothing more after the value',
    found: '"🙂"',
  });
});
