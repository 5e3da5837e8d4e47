import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fakeShell, Refusable, settled } from './testing/fakeDesktop.ts';
import { readWindowState, writeWindowState } from './windowState.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchyard-window-'));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'window.json');
const screen = { x: 0, y: 0, width: 1920, height: 1040 };
const none = { bounds: null, maximised: false };

test('what was written is read again, and no other file is left', () => {
  const state = { bounds: { x: 100, y: 50, width: 1000, height: 700 }, maximised: true };
  writeWindowState(file, state);
  assert.deepEqual(readWindowState(file, [screen]), state);
  assert.deepEqual(readdirSync(folder), ['window.json']);
});

test('a place that is on no screen any more is forgotten, the rest is kept', () => {
  const size = { width: 1000, height: 700 };
  const read = (x: number, y: number, screens = [screen]): boolean => {
    writeWindowState(file, { bounds: { x, y, ...size }, maximised: true });
    const state = readWindowState(file, screens);
    assert.equal(state.maximised, true);
    return state.bounds !== null;
  };
  const second = { x: 1920, y: 0, width: 1280, height: 1000 };
  assert.equal(read(2000, 50, [screen, second]), true);
  assert.equal(read(2000, 50), false);
  // Only a strip of it, or only its lower part, is there: it could not be taken hold of.
  assert.equal(read(1900, 50), false);
  assert.equal(read(100, -200), false);
  assert.equal(read(100, 1030), false);
  assert.equal(read(-800, 50), true);
});

test('a damaged file counts as none', () => {
  const good = { x: 0, y: 0, width: 1000, height: 700 };
  for (const content of [
    '',
    '{',
    'null',
    '[]',
    '{"maximised":true}',
    JSON.stringify({ bounds: good, maximised: 'yes' }),
    JSON.stringify({ bounds: { ...good, width: 10 }, maximised: false }),
    JSON.stringify({ bounds: { ...good, x: 0.5 }, maximised: false }),
    JSON.stringify({ bounds: { ...good, y: null }, maximised: false }),
    JSON.stringify({ bounds: 'everywhere', maximised: false }),
  ]) {
    writeFileSync(file, content);
    assert.deepEqual(readWindowState(file, [screen]), none, content);
  }
  assert.deepEqual(readWindowState(join(folder, 'gone.json'), [screen]), none);
});

test('the next start opens the window where the last one closed it', async () => {
  const shell = fakeShell();
  await shell.start();
  shell.window().bounds = { x: 300, y: 200, width: 900, height: 600 };
  shell.window().maximised = true;
  shell.window().emit('close', new Refusable());
  await settled();
  await shell.start();
  const { options } = shell.window();
  assert.deepEqual([options.x, options.y, options.width, options.height], [300, 200, 900, 600]);
  assert.equal(shell.window().maximised, false);
  shell.window().emit('ready-to-show');
  assert.equal(shell.window().maximised, true);
  shell.remove();
});
