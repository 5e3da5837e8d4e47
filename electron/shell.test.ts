import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { desktopChannels } from '../core/contract/desktop.ts';
import { fakeRun } from './testing/fakeRun.ts';
import { fakeShell, Refusable, settled, type FakeShell } from './testing/fakeDesktop.ts';

async function started(): Promise<FakeShell> {
  const shell = fakeShell();
  await shell.start();
  return shell;
}

test('sandbox, scheme and core come before the app is ready, and the window after', async () => {
  const shell = await started();
  assert.deepEqual(shell.steps, [
    'lock',
    'sandbox',
    'schemes',
    'core',
    'ready',
    'protocol',
    'window',
  ]);
  assert.deepEqual(shell.schemes, [
    { scheme: 'app', privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ]);
  shell.remove();
});

test('the window is hidden until the page can be seen, and is told where the core is', async () => {
  const shell = await started();
  const window = shell.window();
  assert.equal(window.options.show, false);
  assert.deepEqual(window.loaded, []);
  await shell.serve();
  assert.deepEqual(window.loaded, ['app://switchyard/index.html#core=127.0.0.1:4321&token=secret']);
  assert.equal(window.visible, false);
  window.emit('ready-to-show');
  assert.equal(window.visible, true);
  shell.remove();
});

test('a core that serves before the app is ready is not missed', async () => {
  const shell = fakeShell();
  const start = shell.start();
  shell.core.report({ state: 'serving', port: 99, token: 't' });
  await start;
  assert.deepEqual(shell.window().loaded, [
    'app://switchyard/index.html#core=127.0.0.1:99&token=t',
  ]);
  shell.remove();
});

test('a second instance starts nothing and ends', async () => {
  const shell = fakeShell();
  shell.app.first = false;
  await shell.start();
  assert.deepEqual(shell.steps, ['lock']);
  assert.equal(shell.app.ended, true);
  shell.remove();
});

test('a second start shows the window that there is and imports its files', async () => {
  const shell = await started();
  await shell.serve();
  const file = join(shell.parts.cwd, 'text.txt');
  writeFileSync(file, 'text');
  shell.window().minimised = true;
  shell.app.emit(
    'second-instance',
    {},
    ['switchyard', '--flag', 'text.txt', 'gone.txt'],
    shell.parts.cwd,
  );
  await settled();
  assert.equal(shell.window().minimised, false);
  assert.equal(shell.window().visible, true);
  assert.equal(shell.window().focused, true);
  assert.deepEqual(shell.core.asked(), [`datasets.import ${JSON.stringify({ path: file })}`]);
  shell.remove();
});

test('a file that the system opens before there is a core is imported once there is one', async () => {
  const shell = await started();
  const event = new Refusable();
  shell.app.emit('open-file', event, '/texts/a.txt');
  assert.equal(event.refused, true);
  assert.deepEqual(shell.core.asked(), []);
  await shell.serve();
  assert.deepEqual(shell.core.asked(), ['datasets.import {"path":"/texts/a.txt"}']);
  shell.remove();
});

test('an opened file that cannot be imported gets its sentence', async () => {
  const shell = await started();
  shell.core.answer = () => {
    throw new Error('It is not UTF-8.');
  };
  await shell.serve();
  shell.app.emit('open-file', new Refusable(), '/texts/a.txt');
  await settled();
  assert.equal(shell.questions[0]?.message, 'a.txt could not be imported.');
  assert.equal(shell.questions[0].detail, 'It is not UTF-8.');
  shell.remove();
});

test('a core that comes back at its old place does not disturb the page', async () => {
  const shell = await started();
  await shell.serve();
  shell.core.report({ state: 'restarting', reason: 'It crashed.', attempt: 1 });
  await shell.serve();
  assert.equal(shell.window().loaded.length, 1);
  assert.match(shell.logged.join('\n'), /It crashed\./u);
  assert.equal(shell.app.ended, false);
  shell.remove();
});

test('a core that failed for good is explained, its details can be copied, and the app ends', async () => {
  const shell = await started();
  shell.presses.push(1, 0);
  shell.core.report({
    state: 'failed',
    error: { code: 'newer-database', message: 'The database is newer.' },
  });
  await settled();
  assert.equal(shell.questions.length, 2);
  assert.equal(shell.questions[0]?.detail, 'The database is newer.');
  assert.deepEqual(shell.questions[0].buttons, ['Quit', 'Copy details']);
  assert.match(
    shell.copied[0] ?? '',
    /Switchyard 0\.0\.0\nnewer-database: The database is newer\./u,
  );
  shell.core.stops[0]?.();
  await settled();
  assert.equal(shell.app.ended, true);
  shell.remove();
});

test('a page that crashes is loaded again, but not for ever', async () => {
  const shell = await started();
  await shell.serve();
  for (let crash = 0; crash < 10; crash++) shell.window().webContents.emit('render-process-gone');
  assert.equal(shell.window().loaded.length, 4);
  shell.remove();
});

test('menu commands reach the page, and the data folder is the core’s', async () => {
  const shell = await started();
  await shell.serve();
  const items = shell.menus[0]?.flatMap(({ submenu }) => (Array.isArray(submenu) ? submenu : []));
  const click = (label: string): void => {
    const item = items?.find((candidate) => candidate.label === label);
    (item?.click as (() => void) | undefined)?.();
  };
  for (const label of ['New run', 'Import text…', 'Runs', 'Data', 'Machine', 'Find']) click(label);
  click('Keyboard shortcuts');
  click('Open data folder');
  assert.deepEqual(
    shell.window().webContents.sent,
    ['new-run', 'import', 'show-runs', 'show-data', 'show-machine', 'find', 'shortcuts'].map(
      (command) => [desktopChannels.menu, command],
    ),
  );
  assert.ok(shell.steps.includes('open /data'));
  shell.remove();
});

test('training shows on the taskbar and keeps the machine awake, and only then', async () => {
  const shell = await started();
  const run = fakeRun({ step: 0 });
  const half = run.config.training.steps / 2;
  shell.core.runs = [run, fakeRun({ id: 'r-2', status: 'queued' })];
  await shell.serve();
  assert.equal(shell.blockers.size, 1);
  const steps = [{ step: half }] as Parameters<typeof metric>[0];
  shell.core.emit(metric(steps));
  assert.deepEqual(shell.window().progress, [0, 0.5]);
  shell.core.emit({ type: 'run-changed', run: { ...run, status: 'paused' } });
  assert.deepEqual(shell.window().progress, [0, 0.5, -1]);
  assert.equal(shell.blockers.size, 0);
  shell.remove();
});

function metric(steps: { step: number }[]): Parameters<FakeShell['core']['emit']>[0] {
  const rest = {
    loss: 1,
    gradientNorm: 1,
    learningRate: 1,
    milliseconds: 1,
    tokens: 1,
    tensorBytes: 1,
    rssBytes: 1,
    elapsedSeconds: 1,
  };
  return { type: 'run-steps', runId: 'r-1', steps: steps.map((step) => ({ ...rest, ...step })) };
}

test('the notification of a run that ended shows the window on that run', async () => {
  const shell = await started();
  shell.core.runs = [fakeRun({})];
  await shell.serve();
  shell.core.emit({
    type: 'run-changed',
    run: fakeRun({ status: 'finished', step: 1200, bestValidationLoss: 1.5 }),
  });
  assert.equal(shell.notices[0]?.notice.title, 'first finished');
  assert.match(shell.notices[0].notice.body, /1,200 steps; best validation loss 1\.5/u);
  shell.notices[0].click();
  assert.equal(shell.window().focused, true);
  assert.deepEqual(shell.window().webContents.sent, [[desktopChannels.showRun, 'r-1']]);
  shell.remove();
});
