import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createClient } from '../core/contract/protocol.ts';
import { createOpenedTexts, filesOf } from './openedTexts.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchyard-texts-'));
after(() => rmSync(folder, { recursive: true }));
const text = join(folder, 'a text.txt');
const script = join(folder, 'main.js');
for (const file of [text, script]) writeFileSync(file, '');
mkdirSync(join(folder, 'folder'));

test('files are found among the arguments, relative to where the start was', () => {
  const argv = ['switchyard', '--no-sandbox', 'a text.txt', 'gone.txt', 'folder', '', 'bad\0name'];
  assert.deepEqual(filesOf(argv, folder, true), [text]);
  assert.deepEqual(filesOf(['switchyard', 'x'.repeat(5000), text], '/', true), [text]);
});

test('in a checkout, the script that Electron runs is no text, wherever options stand', () => {
  assert.deepEqual(filesOf(['electron', script, text], folder, false), [text]);
  assert.deepEqual(filesOf(['electron', '--no-sandbox', script, text], folder, false), [text]);
  assert.deepEqual(filesOf(['electron', script], folder, false), []);
});

test('texts are imported one after the other, and one that fails does not hold up the next', async () => {
  const calls: { path: unknown; settle: PromiseWithResolvers<unknown> }[] = [];
  const client = createClient({
    call: (_method, input) => {
      const settle = Promise.withResolvers<unknown>();
      calls.push({ path: (input as { path: string }).path, settle });
      return settle.promise;
    },
    subscribe: () => () => undefined,
  });
  const failed: string[] = [];
  const next = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const texts = createOpenedTexts();
  texts.open(['/a', '/b']);
  texts.connected(client, (path) => failed.push(path));
  texts.open(['/c']);
  assert.deepEqual(
    calls.map(({ path }) => path),
    ['/a'],
  );
  calls[0]?.settle.reject(new Error('It is not UTF-8.'));
  await next();
  calls[1]?.settle.resolve(null);
  await next();
  assert.deepEqual(failed, ['/a']);
  assert.deepEqual(
    calls.map(({ path }) => path),
    ['/a', '/b', '/c'],
  );
});
