/** Starting the desktop window, where Electron's own binary is there or can be had. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onEverySignal } from './interrupts.ts';
import { hasDisplay } from './openBrowser.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = join(root, 'node_modules', 'electron');
/** Longest time for fetching the binary, in milliseconds. */
const installBound = 120_000;

/** Electron's binary, or why there is none, as a sentence. */
export type Electron = { binary: string } | { reason: string };

/** Looks for the binary; where there is a display and it is missing, fetches it within a bound. */
export async function findElectron(say: (line: string) => void): Promise<Electron> {
  if (!hasDisplay())
    return { reason: 'There is no display for a window, so the app is served to a browser.' };
  if (!existsSync(folder))
    return { reason: 'Electron is not among the packages, so the app is served to a browser.' };
  const found = installedBinary();
  if (found !== null) return { binary: found };
  say('Fetching Electron, once (up to two minutes) …');
  const failure = await install();
  const binary = installedBinary();
  if (binary !== null) return { binary };
  return {
    reason: `Electron could not be fetched (${failure}), so the app is served to a browser.`,
  };
}

/**
 * Starts the shell and waits until it ends; returns its exit code. Signals that ask this process to end
 * are passed on: the shell writes checkpoints first, and whoever waits for this process waits for that.
 */
export function runElectron(binary: string, home: string | undefined): Promise<number> {
  const env = {
    ...process.env,
    SWITCHYARD_NODE: process.execPath,
    ...(home === undefined ? {} : { SWITCHYARD_HOME: home }),
  };
  // Its sandbox needs another user than root; whoever is root has chosen to do without.
  const args = process.getuid?.() === 0 ? ['--no-sandbox', root] : [root];
  // Before the shell is started: a signal in between would end this process and leave the shell alone.
  const release = onEverySignal((signal) => void child.kill(signal));
  const child = spawn(binary, args, { stdio: 'inherit', env });
  return new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(signal === null ? (code ?? 1) : 1));
  }).finally(release);
}

/** As Electron's own index.js finds it. */
function installedBinary(): string | null {
  const pointer = join(folder, 'path.txt');
  if (!existsSync(pointer)) return null;
  const binary = join(folder, 'dist', readFileSync(pointer, 'utf8').trim());
  return existsSync(binary) ? binary : null;
}

/** Runs Electron's own installer; returns what went wrong, in a few words. */
async function install(): Promise<string> {
  const child = spawn(process.execPath, [join(folder, 'install.js')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const timer = setTimeout(() => child.kill('SIGKILL'), installBound);
  const signal = await new Promise<NodeJS.Signals | null>((resolve) =>
    child.once('close', (_code, ended) => resolve(ended)),
  );
  clearTimeout(timer);
  if (signal !== null) return 'it took longer than two minutes';
  if (/fetch failed|ENOTFOUND|ECONN|ETIMEDOUT/u.test(output)) return 'its server cannot be reached';
  return output.trim().split('\n')[0] || 'its installer failed';
}
