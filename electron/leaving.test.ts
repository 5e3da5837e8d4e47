import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import type { Run } from '../core/contract/records.ts';
import { fakeShell, Refusable, settled, type FakeShell } from './testing/fakeDesktop.ts';
import { fakeRun } from './testing/fakeRun.ts';

const background = 0;
const checkpointAndQuit = 1;
const cancel = 2;

async function shellWith(runs: Run[]): Promise<FakeShell> {
  const shell = fakeShell();
  shell.core.runs = runs;
  await shell.start();
  await shell.serve();
  shell.window().emit('ready-to-show');
  return shell;
}

async function close(shell: FakeShell): Promise<Refusable> {
  const event = new Refusable();
  shell.window().emit('close', event);
  await settled();
  return event;
}

test('closing an idle window stops the core and then ends the app', async () => {
  const shell = await shellWith([]);
  const event = await close(shell);
  assert.equal(event.refused, true);
  assert.equal(shell.questions.length, 0);
  assert.equal(shell.window().visible, false);
  assert.equal(shell.app.ended, false);
  shell.core.stops[0]?.();
  await settled();
  assert.equal(shell.app.ended, true);
  assert.equal((await close(shell)).refused, false);
  shell.remove();
});

test('training is kept in the background: no window, a tray icon, and a way back', async () => {
  const shell = await shellWith([fakeRun({})]);
  shell.presses.push(background);
  await close(shell);
  assert.match(shell.questions[0]?.message ?? '', /first is training/u);
  assert.equal(shell.core.stops.length, 0);
  assert.equal(shell.window().visible, false);
  assert.equal(shell.trays.length, 1);
  const [open] = shell.trays[0]?.menu ?? [];
  assert.equal(open?.label, 'Open Switchyard');
  (open.click as () => void)();
  assert.equal(shell.window().visible, true);
  assert.equal(shell.trays[0]?.destroyed, true);
  shell.remove();
});

test('the tray’s Quit… asks as well', async () => {
  const shell = await shellWith([fakeRun({})]);
  shell.presses.push(background, cancel);
  await close(shell);
  const quit = shell.trays[0]?.menu.find(({ label }) => label === 'Quit…');
  (quit?.click as () => void)();
  await settled();
  assert.equal(shell.questions.length, 2);
  assert.equal(shell.app.ended, false);
  assert.equal(shell.trays[0]?.destroyed, false);
  shell.remove();
});

test('“Checkpoint and quit” waits for the core, with the window still there', async () => {
  const shell = await shellWith([fakeRun({})]);
  shell.presses.push(checkpointAndQuit);
  await close(shell);
  assert.equal(shell.core.stops.length, 1);
  assert.equal(shell.window().visible, true);
  assert.equal(shell.app.ended, false);
  assert.ok(existsSync(shell.parts.paths.windowState));
  shell.core.stops[0]?.();
  await settled();
  assert.equal(shell.app.ended, true);
  shell.remove();
});

test('“Cancel” changes nothing, and the question can be asked again', async () => {
  const shell = await shellWith([fakeRun({ status: 'queued' })]);
  shell.presses.push(cancel, cancel);
  await close(shell);
  await close(shell);
  assert.equal(shell.questions.length, 2);
  assert.equal(shell.window().visible, true);
  assert.equal(shell.core.stops.length, 0);
  shell.remove();
});

test('while the question is open, and while the core stops, nothing is asked or stopped twice', async () => {
  const shell = await shellWith([fakeRun({})]);
  await close(shell);
  shell.app.quit();
  await settled();
  assert.equal(shell.questions.length, 1);
  shell.terminate();
  shell.app.quit();
  await settled();
  assert.equal(shell.core.stops.length, 1);
  assert.equal(shell.app.ended, false);
  shell.remove();
});

test('a paused run is no reason to ask, but the core is stopped properly', async () => {
  const shell = await shellWith([fakeRun({ status: 'paused' })]);
  await close(shell);
  assert.equal(shell.questions.length, 0);
  assert.equal(shell.core.stops.length, 1);
  shell.remove();
});

for (const [name, send] of [
  ['a signal', (shell: FakeShell) => shell.terminate()],
  ['the end of the session', (shell: FakeShell) => shell.window().emit('session-end')],
  ['a shutdown', (shell: FakeShell) => shell.power.emit('shutdown')],
] as const) {
  test(`${name} stops the core without asking`, async () => {
    const shell = await shellWith([fakeRun({})]);
    send(shell);
    await settled();
    assert.equal(shell.questions.length, 0);
    assert.equal(shell.core.stops.length, 1);
    shell.core.stops[0]?.();
    await settled();
    assert.equal(shell.app.ended, true);
    shell.remove();
  });
}

test('a core that somebody else stopped takes the app with it', async () => {
  const shell = await shellWith([fakeRun({})]);
  shell.core.report({ state: 'stopped' });
  shell.core.stops[0]?.();
  await settled();
  assert.equal(shell.questions.length, 0);
  assert.equal(shell.app.ended, true);
  shell.remove();
});

test('a core that does not end within a minute is told again, which kills it', async () => {
  const shell = await shellWith([]);
  await close(shell);
  const limit = shell.timers.find(({ milliseconds }) => milliseconds === 60_000);
  limit?.work();
  assert.equal(shell.core.stops.length, 2);
  for (const stop of shell.core.stops) stop();
  await settled();
  assert.equal(shell.app.ended, true);
  shell.remove();
});
