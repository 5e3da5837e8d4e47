import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DiskUsage } from '../../../core/contract/records.ts';
import { bySize, spaceParts } from './spaceParts.ts';

const usage: DiskUsage = {
  ...{ home: '/home', free: 1000, database: 30, logs: 4 },
  runs: [
    { id: 'r-1', bytes: 100 },
    { id: 'r-2', bytes: 200 },
  ],
  datasets: [{ id: 'd-1', bytes: 50 }],
  exports: [],
};

test('the parts add up to everything, empty ones included', () => {
  const parts = spaceParts(usage).map(({ kind, bytes }) => [kind, bytes]);
  assert.deepEqual(parts, [
    ...[['runs', 300] as const, ['datasets', 50] as const],
    ...[['exports', 0] as const, ['database', 30] as const, ['logs', 4] as const],
  ]);
});

test('sizes come largest first, with what is not known as undefined', () => {
  const names = new Map([['r-1', 'first']]);
  const listed = bySize(usage.runs, (id) => names.get(id));
  assert.deepEqual(listed, [
    { id: 'r-2', bytes: 200, record: undefined },
    { id: 'r-1', bytes: 100, record: 'first' },
  ]);
});
