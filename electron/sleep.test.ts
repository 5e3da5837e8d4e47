import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeShell, settled, type FakeShell } from './testing/fakeDesktop.ts';
import { fakeRun } from './testing/fakeRun.ts';

async function training(): Promise<FakeShell> {
  const shell = fakeShell();
  shell.core.runs = [
    fakeRun({}),
    fakeRun({ id: 'r-2', status: 'paused' }),
    fakeRun({ id: 'r-3', status: 'queued' }),
  ];
  await shell.start();
  await shell.serve();
  return shell;
}

test('what runs is paused for sleep, and exactly that is resumed', async () => {
  const shell = await training();
  shell.power.emit('suspend');
  await settled();
  assert.deepEqual(shell.core.asked(), ['runs.pause {"run":"r-1"}']);
  shell.power.emit('resume');
  await settled();
  shell.power.emit('resume');
  await settled();
  assert.deepEqual(shell.core.asked(), ['runs.pause {"run":"r-1"}', 'runs.resume {"run":"r-1"}']);
  shell.remove();
});

test('a pause that is still under way when the machine wakes is resumed after it', async () => {
  const shell = await training();
  const { promise, resolve } = Promise.withResolvers<null>();
  shell.core.answer = (method) => (method === 'runs.pause' ? promise : null);
  shell.power.emit('suspend');
  shell.power.emit('resume');
  await settled();
  assert.equal(shell.core.asked().length, 1);
  resolve(null);
  await settled();
  assert.deepEqual(shell.core.asked()[1], 'runs.resume {"run":"r-1"}');
  shell.remove();
});

test('a run that could not be paused is left alone and the reason is logged', async () => {
  const shell = await training();
  shell.core.answer = () => {
    throw new Error('It just finished.');
  };
  shell.power.emit('suspend');
  await settled();
  shell.power.emit('resume');
  await settled();
  assert.equal(shell.core.asked().length, 1);
  assert.match(shell.logged.join('\n'), /runs\.pause of r-1.*It just finished\./u);
  shell.remove();
});
