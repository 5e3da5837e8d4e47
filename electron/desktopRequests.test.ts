import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { desktopChannels } from '../core/contract/desktop.ts';
import { fakeShell, type FakeShell } from './testing/fakeDesktop.ts';

async function serving(home = '/data'): Promise<FakeShell> {
  const shell = fakeShell();
  shell.core.home = home;
  await shell.start();
  await shell.serve();
  return shell;
}

test('only the page’s own top frame is answered', async () => {
  const shell = await serving();
  const page = 'app://switchyard/index.html';
  for (const frame of [
    null,
    { url: 'https://example.org/', parent: null },
    { url: 'app://switchyard.example.org/', parent: null },
    { url: 'about:blank', parent: null },
    { url: page, parent: { url: page } },
  ]) {
    for (const channel of [
      desktopChannels.chooseTexts,
      desktopChannels.chooseSave,
      desktopChannels.showInFolder,
    ])
      await assert.rejects(shell.invoke(channel, '/data', frame), /own page/u);
  }
  assert.deepEqual(shell.shownInFolder, []);
  shell.remove();
});

test('chosen texts are returned, and none when the dialog is cancelled', async () => {
  const shell = await serving();
  assert.deepEqual(await shell.invoke(desktopChannels.chooseTexts, undefined), []);
  shell.open = { canceled: false, filePaths: ['/texts/a.txt', '/texts/b.txt'] };
  assert.deepEqual(await shell.invoke(desktopChannels.chooseTexts, undefined), [
    '/texts/a.txt',
    '/texts/b.txt',
  ]);
  shell.remove();
});

test('a save dialog returns the path or null, and refuses what it does not know', async () => {
  const shell = await serving();
  const options = { title: 'Export', name: 'first', kind: 'folder' };
  assert.equal(await shell.invoke(desktopChannels.chooseSave, options), null);
  shell.save = { canceled: false, filePath: '/exports/first' };
  assert.equal(await shell.invoke(desktopChannels.chooseSave, options), '/exports/first');
  const refused = (input: unknown, message: RegExp): Promise<void> =>
    assert.rejects(shell.invoke(desktopChannels.chooseSave, input), message);
  await refused({ ...options, kind: 'exe' }, /not for "exe"/u);
  await refused({ kind: 'csv' }, /needs a title and a name/u);
  await refused(undefined, /needs a title and a name/u);
  shell.remove();
});

test('only paths of the data folder, and those that a dialog returned, are shown', async () => {
  const home = mkdtempSync(join(tmpdir(), 'switchyard-home-'));
  const elsewhere = mkdtempSync(join(tmpdir(), 'switchyard-elsewhere-'));
  const own = join(home, 'switchyard.db');
  const exported = join(elsewhere, 'points.csv');
  for (const file of [own, exported]) writeFileSync(file, '');
  const shell = await serving(home);
  const show = (path: unknown): Promise<unknown> =>
    shell.invoke(desktopChannels.showInFolder, path);

  await show(own);
  await assert.rejects(show(exported), /neither in the data folder/u);
  await assert.rejects(show(join(home, '..', 'other')), /neither in the data folder/u);
  await assert.rejects(show(`${home}-other`), /neither in the data folder/u);
  await assert.rejects(show('switchyard.db'), /absolute path, not "switchyard\.db"/u);
  await assert.rejects(show({}), /absolute path/u);
  await assert.rejects(show(join(home, 'gone')), /does not exist/u);

  shell.save = { canceled: false, filePath: exported };
  await shell.invoke(desktopChannels.chooseSave, { title: 'a', name: 'b', kind: 'csv' });
  await show(exported);
  assert.deepEqual(shell.shownInFolder, [own, exported]);
  shell.remove();
  for (const folder of [home, elsewhere]) rmSync(folder, { recursive: true });
});
