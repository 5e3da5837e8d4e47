import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogEntry } from '../../../core/contract/records.ts';
import { asText, atLeast, joined } from './logLines.ts';

const line = (second: number, level: LogEntry['level'] = 'info'): LogEntry => ({
  ...{ runId: 'r-1', level, message: `line ${second}` },
  time: `2026-01-01T00:00:0${second}.000Z`,
});

test('a line that was read and heard is shown once, in its place', () => {
  assert.deepEqual(joined([line(1), line(2)], [line(2), line(3)]), [line(1), line(2), line(3)]);
});

test('lines below the chosen level are left out', () => {
  const lines = [line(1), line(2, 'warning'), line(3, 'error')];
  assert.deepEqual(atLeast(lines, 'info'), lines);
  assert.deepEqual(atLeast(lines, 'warning'), lines.slice(1));
  assert.deepEqual(atLeast(lines, 'error'), lines.slice(2));
});

test('lines are copied with time and level', () => {
  assert.equal(asText([line(1, 'error')]), '2026-01-01T00:00:01.000Z error line 1');
});
