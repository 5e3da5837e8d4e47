import assert from 'node:assert/strict';
import { test } from 'node:test';
import { table } from './table.ts';

const plain = (_style: unknown, text: string): string => text;
const columns = [
  { title: 'Run' },
  { title: 'Architecture', optional: true },
  { title: 'Steps', align: 'right' },
  { title: 'Created', optional: true },
] as const;
const rows = [['r-1', 'dense H8', '20', 'today']];

test('columns align under their titles', () => {
  assert.deepEqual(table(columns, rows, plain), [
    'Run  Architecture  Steps  Created',
    '───  ────────────  ─────  ───────',
    'r-1  dense H8         20  today',
  ]);
});

test('optional columns go, the rightmost first, until the table fits', () => {
  const head = (room: number): string => table(columns, rows, plain, room)[0] ?? '';
  assert.equal(head(33), 'Run  Architecture  Steps  Created');
  assert.equal(head(32), 'Run  Architecture  Steps');
  assert.equal(head(20), 'Run  Steps');
  assert.equal(head(5), 'Run  Steps');
});

test('names with line ends or escape sequences stay in their cell', () => {
  const [, , row] = table([{ title: 'Name' }], [['two\nlines\u001b[31m']], plain);
  assert.equal(row, 'two\ufffdlines\ufffd[31m');
});
