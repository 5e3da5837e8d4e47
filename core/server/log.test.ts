/** The server's log stays readable line by line, and bounded. */
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryHome } from '../api/testing/tinyRun.ts';
import { openServerLog } from './log.ts';

test('one line a message, and a full file makes room', () => {
  const { home, remove } = temporaryHome();
  const file = join(home, 'server.log');
  const log = openServerLog(home);
  log('warning', 'one\n  two');
  assert.match(readFileSync(file, 'utf8'), /^\d{4}-\d\d-\d\dT[\d:.]+Z warning one \| two\n$/u);
  writeFileSync(file, 'x'.repeat(5 * 2 ** 20));
  log('info', 'three');
  assert.match(readFileSync(file, 'utf8'), / info three\n$/u);
  assert.ok(statSync(file).size < 100);
  assert.equal(statSync(`${file}.1`).size, 5 * 2 ** 20);
  remove();
});
