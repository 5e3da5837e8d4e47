import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compare, compareScalars, judge } from './deviation.ts';

const expected = Float32Array.of(1, -2, 3);
const scalars = (actual: readonly number[]) => compareScalars('loss', actual, expected, 1e-5, true);

void test('equal numbers pass, and a verdict names the tensor that is furthest off', () => {
  assert.equal(judge([compare('y', expected, expected), scalars([1, -2, 3])]).result, 'passed');
  const { result, detail } = judge([scalars([1, -2, 3]), compare('y', [1, -2, 3.1], expected)]);
  assert.equal(result, 'failed');
  assert.match(detail, /^worst of 2 tensors: y, off by 3\.3e-2 of its largest magnitude/u);
});

void test('a value that is not a number fails, wherever it is and on whichever side', () => {
  for (const place of [0, 1, 2]) {
    const broken = Array.from(expected, (value, i) => (i === place ? NaN : value));
    assert.equal(judge([compare('y', broken, expected)]).result, 'failed');
    assert.equal(judge([compare('y', expected, broken)]).result, 'failed');
    assert.equal(judge([scalars(broken)]).result, 'failed');
    const other = [compare('z', [1], [1.5]), compare('y', broken, expected)];
    assert.match(judge(other).detail, /: y, off by NaN/u);
  }
});

void test('a tensor of another size is refused, also where it begins alike', () => {
  const message = /"y" has 2 values where 3 are needed/u;
  assert.throws(() => compare('y', expected, expected.subarray(0, 2)), { message });
  assert.throws(() => compareScalars('y', [1, -2, 3], expected.subarray(0, 2), 1, false), {
    message,
  });
});
