import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Checkpoint } from '../../../core/contract/records.ts';
import { prunable } from './pruning.ts';

const checkpoint = (step: number, best = false): Checkpoint => ({
  ...{ runId: 'r-1', step, folder: `step-${step}`, bytes: 100, best },
  ...{ validationLoss: 2, createdAt: '2026-01-01T00:00:00.000Z' },
});

test('the best and the last checkpoint stay, whatever the order', () => {
  const { steps, bytes } = prunable('r-1', [
    ...[checkpoint(400), checkpoint(100), checkpoint(200, true), checkpoint(300)],
  ]);
  assert.deepEqual(steps, [100, 300]);
  assert.equal(bytes, 200);
});

test('the last one stays when it is the best as well', () => {
  assert.deepEqual(prunable('r-1', [checkpoint(100), checkpoint(200, true)]).steps, [100]);
});

test('a run with one checkpoint or none keeps what it has', () => {
  assert.deepEqual(prunable('r-1', [checkpoint(100)]).steps, []);
  assert.deepEqual(prunable('r-1', []), { runId: 'r-1', steps: [], bytes: 0 });
});
