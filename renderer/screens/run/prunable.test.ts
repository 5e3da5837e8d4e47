import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Checkpoint } from '../../../core/contract/records.ts';
import { keptReason, prunable } from './prunable.ts';

const list = [100, 200, 300, 400].map(
  (step) => ({ step, best: step === 200 }) as unknown as Checkpoint,
);

test('pruning keeps the best and the last', () => {
  assert.deepEqual(
    prunable(list).map(({ step }) => step),
    [100, 300],
  );
  assert.deepEqual(prunable([]), []);
});

test('the last checkpoint of an unfinished run stays, and all of an active one', () => {
  assert.equal(keptReason('finished', list, list[3]), null);
  assert.match(keptReason('stopped', list, list[3]) ?? '', /to be resumed/u);
  assert.equal(keptReason('stopped', list, list[0]), null);
  assert.match(keptReason('paused', list, list[0]) ?? '', /has ended/u);
});
