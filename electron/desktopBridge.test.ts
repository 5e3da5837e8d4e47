import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { desktopChannels } from '../core/contract/desktop.ts';
import type { DesktopAnswer } from './desktopAnswer.ts';
import { createDesktopBridge, type BridgeParts } from './desktopBridge.ts';

class FakeIpc extends EventEmitter {
  readonly invoked: unknown[][] = [];
  answer: DesktopAnswer = { value: null };
  invoke(...call: unknown[]): Promise<unknown> {
    this.invoked.push(call);
    return Promise.resolve(this.answer);
  }
}

test('the page gets values without the IPC event behind them, until it stops listening', () => {
  const ipc = new FakeIpc();
  const bridge = createDesktopBridge({
    ipc: ipc as unknown as BridgeParts['ipc'],
    files: { getPathForFile: () => '/texts/a.txt' },
    platform: 'linux',
  });
  const heard: unknown[][] = [];
  const stop = bridge.onMenu((...received) => heard.push(received));
  bridge.onShowRun((...received) => heard.push(received));
  ipc.emit(desktopChannels.menu, { sender: 'secret' }, 'find');
  ipc.emit(desktopChannels.showRun, { sender: 'secret' }, 'r-1');
  stop();
  ipc.emit(desktopChannels.menu, { sender: 'secret' }, 'import');
  assert.deepEqual(heard, [['find'], ['r-1']]);
  assert.equal(bridge.pathForFile({}), '/texts/a.txt');
});

test('requests go over their channels', async () => {
  const ipc = new FakeIpc();
  const bridge = createDesktopBridge({
    ipc: ipc as unknown as BridgeParts['ipc'],
    files: { getPathForFile: () => '' },
    platform: 'linux',
  });
  const options = { title: 'Export', name: 'a', kind: 'csv' } as const;
  await bridge.chooseTexts();
  await bridge.chooseSave(options);
  await bridge.showInFolder('/data/a');
  assert.deepEqual(ipc.invoked, [
    [desktopChannels.chooseTexts, undefined],
    [desktopChannels.chooseSave, options],
    [desktopChannels.showInFolder, '/data/a'],
  ]);

  ipc.answer = { error: { code: 'not-found', message: '/data/a does not exist any more.' } };
  await assert.rejects(bridge.showInFolder('/data/a'), {
    code: 'not-found',
    message: '/data/a does not exist any more.',
  });
});
