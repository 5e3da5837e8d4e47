/**
 * The launcher, for real: in a scratch repository root (its path has a space, its node_modules is a
 * link to this one's) it starts an entry that reports what reached it. Installing is tested with a
 * stand-in for npm.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

const repository = dirname(import.meta.dirname);
const skip = process.platform === 'win32' ? 'signals and links are POSIX only' : false;

/** Prints its situation; with `wait`, stays, counts SIGINT and leaves a while after the first, with code 3. */
const ENTRY = `
import { readFileSync } from 'node:fs';
const [mode, ...rest] = process.argv.slice(2);
if (mode === 'tell') {
  const major: number = Number.parseInt(process.versions.node, 10);
  console.log(JSON.stringify({ rest, major, cwd: process.cwd(), input: readFileSync(0, 'utf8') }));
  process.exit(7);
}
let interrupts = 0;
process.on('SIGINT', () => {
  if (interrupts++ > 0) return;
  setTimeout(() => { console.log('interrupts', interrupts); process.exit(3); }, 300);
});
process.on('SIGTERM', () => { console.log('terminated'); process.exit(4); });
console.log('pid', process.pid);
setInterval(() => {}, 1000);
`;

let folder: string;
let root: string;

before(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'launch-')));
  root = makeRoot('with node_modules');
  symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'));
});
after(() => rmSync(folder, { recursive: true }));

function makeRoot(name: string): string {
  const root = join(folder, name);
  mkdirSync(join(root, 'scripts'), { recursive: true });
  for (const file of ['launch.mjs', 'lock.mjs', 'lifeline.mjs']) {
    cpSync(join(repository, 'scripts', file), join(root, 'scripts', file));
  }
  cpSync(join(repository, 'package-lock.json'), join(root, 'package-lock.json'));
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(root, 'entry.ts'), ENTRY);
  writeFileSync(
    join(root, 'start.mjs'),
    `import { launch } from './scripts/launch.mjs';\nawait launch('entry.ts');\n`,
  );
  return root;
}

interface Started {
  readonly launcher: ChildProcess;
  readonly output: () => string;
  readonly errors: () => string;
  /** How it ended: the exit code, or the name of the signal. */
  readonly end: Promise<number | string | null>;
}

function start(args: readonly string[], options: { cwd?: string; path?: string } = {}): Started {
  const env = { ...process.env, PATH: options.path ?? process.env['PATH'] };
  // A process group of its own, as a shell gives to what it starts.
  const launcher = spawn(process.execPath, args, {
    cwd: options.cwd ?? folder,
    env,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  launcher.stdout.on('data', (data: Buffer) => (output += data.toString()));
  launcher.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  const end = new Promise<number | string | null>((resolve) => {
    launcher.on('close', (code, signal) => resolve(signal ?? code));
  });
  return { launcher, output: () => output, errors: () => errors, end };
}

/** Starts the waiting entry and returns once it runs. */
async function startWaiting(): Promise<Started & { readonly child: number }> {
  const started = start([join(root, 'start.mjs'), 'wait']);
  while (!started.output().includes('\n')) await delay(10);
  return { ...started, child: Number(/pid (\d+)/.exec(started.output())?.[1]) };
}

test(
  'arguments, input, working folder and exit code pass through, also by a link',
  { skip },
  async () => {
    const link = join(folder, 'linked');
    symlinkSync(join(root, 'start.mjs'), link);
    const { launcher, output, end } = start([link, 'tell', 'two words', '', '--flag=ä', '*']);
    launcher.stdin?.end('hello');
    assert.equal(await end, 7);
    assert.deepEqual(JSON.parse(output()), {
      rest: ['two words', '', '--flag=ä', '*'],
      major: 24,
      cwd: folder,
      input: 'hello',
    });
  },
);

for (const [whom, sign] of [
  ['the launcher, alone', 1],
  ['the whole process group, as a terminal does', -1],
] as const) {
  test(`an interrupt of ${whom}, reaches the entry once`, { skip }, async () => {
    const { launcher, output, end } = await startWaiting();
    process.kill(sign * (launcher.pid ?? 0), 'SIGINT');
    assert.equal(await end, 3);
    assert.match(output(), /interrupts 1\n/);
  });
}

test('the launcher ends by the signal that ended the entry', { skip }, async () => {
  const { child, end } = await startWaiting();
  process.kill(child, 'SIGKILL');
  assert.equal(await end, 'SIGKILL');
});

test('the entry is told to end when the launcher is killed', { skip }, async () => {
  const { launcher, output, end } = await startWaiting();
  launcher.kill('SIGKILL');
  // The end is awaited through stdout, which the entry holds open until it has ended itself.
  assert.equal(await end, 'SIGKILL');
  assert.match(output(), /terminated\n/);
});

/** A folder to put first on the PATH, whose `npm` notes the call and runs `script`. */
function standInForNpm(root: string, script: string): string {
  const bin = join(root, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'npm'), `#!/bin/sh\necho "npm $*"\necho "$*" >> calls\n${script}\n`);
  chmodSync(join(bin, 'npm'), 0o755);
  return `${bin}${delimiter}${process.env['PATH'] ?? ''}`;
}

const INSTALL = `sleep 0.3; mkdir -p node_modules/node/bin; ln -s '${process.execPath}' node_modules/node/bin/node`;

test(
  'two launches at once install once, and their stdout stays the entry’s own',
  { skip },
  async () => {
    const root = makeRoot('installed twice');
    const path = standInForNpm(root, INSTALL);
    const both = [1, 2].map(() => start([join(root, 'start.mjs'), 'tell'], { path }));
    for (const { launcher } of both) launcher.stdin?.end();
    assert.deepEqual(await Promise.all(both.map(({ end }) => end)), [7, 7]);
    for (const { output } of both) assert.equal(output().trim().split('\n').length, 1);
    assert.match(readFileSync(join(root, 'calls'), 'utf8'), /^ci [^\n]*\n$/);
    assert.equal(existsSync(join(root, '.install.lock')), false);
  },
);

test('a failed install says so in a sentence, and the next start recovers', { skip }, async () => {
  const root = makeRoot('failing');
  const failing = start([join(root, 'start.mjs'), 'tell'], {
    path: standInForNpm(root, 'mkdir node_modules; exit 9'),
  });
  assert.equal(await failing.end, 1);
  assert.equal(failing.output(), '');
  assert.match(failing.errors(), /could not be installed: npm ci ended with exit code 9 .*\n$/);

  // Another process was killed while it held the lock.
  writeFileSync(join(root, '.install.lock'), '999999999 gone');
  const path = standInForNpm(root, INSTALL);
  const next = start([join(root, 'start.mjs'), 'tell'], { path });
  next.launcher.stdin?.end();
  assert.equal(await next.end, 7);
});
