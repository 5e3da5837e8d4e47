/**
 * Every entry file is plain JavaScript that calls `launch`: the system's Node may be 20, which can
 * neither run TypeScript nor load better-sqlite3 13. `launch` installs the packages if they are
 * missing or out of date, then runs the TypeScript entry on the Node 24 among them, passing on
 * arguments, signals and the exit code. Nothing here may import a package.
 */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { withLock } from './lock.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const onWindows = process.platform === 'win32';
const node24 = join(root, 'node_modules', 'node', 'bin', onWindows ? 'node.exe' : 'node');
const stamp = join(root, 'node_modules', '.switchyard-installed');

/**
 * Runs a TypeScript file on Node 24 with this process's arguments, and ends this process as it ended.
 * @param {string} entry path from the repository root
 */
export async function launch(entry) {
  try {
    if (!isInstalled()) await install();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
  run(join(root, entry), process.argv.slice(2));
}

/** What the stamp holds when the installed packages are those of the lock file, for this platform. */
function wantedStamp() {
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  return `${hash.digest('hex')} ${process.platform}-${process.arch}`;
}

function isInstalled() {
  if (!existsSync(stamp) || !existsSync(node24)) return false;
  return readFileSync(stamp, 'utf8') === wantedStamp();
}

/** Records that `node_modules` is complete. `npm ci` begins by removing the folder, and the stamp with it. */
export function writeStamp() {
  const temporary = `${stamp}.${String(process.pid)}`;
  writeFileSync(temporary, wantedStamp());
  renameSync(temporary, stamp);
}

async function install() {
  const say = (/** @type {string} */ text) => process.stderr.write(`${text}\n`);
  const lock = join(root, '.install.lock');
  // Ctrl-C ends npm; this process must outlive it to say what happened and to release the lock.
  const outlive = () => undefined;
  process.on('SIGINT', outlive);
  try {
    await withLock(
      lock,
      async () => {
        if (isInstalled()) return;
        say('Installing the packages Switchyard needs (npm ci) ...');
        await npmCi();
        if (!existsSync(node24)) {
          throw new Error(
            `The packages were installed, but ${node24} is missing: npm did not run the install script of the package "node".`,
          );
        }
        writeStamp();
      },
      () => say('Another process is installing the packages; waiting for it ...'),
    );
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code !== undefined) {
      throw new Error(`The packages cannot be installed in ${root}: ${error.message}.`, {
        cause: error,
      });
    }
    throw error;
  } finally {
    process.off('SIGINT', outlive);
  }
}

/** @returns {Promise<void>} */
function npmCi() {
  const args = ['ci', '--include=dev', '--include=optional', '--ignore-scripts=false'];
  args.push('--no-audit', '--no-fund', '--loglevel=error');
  // npm's output goes to our stderr: stdout belongs to the entry, whose lines a program may read.
  /** @type {import('node:child_process').SpawnOptions} */
  const options = { cwd: root, stdio: ['ignore', 2, 2] };
  // npm is a .cmd file on Windows, which only a shell can start.
  const npm = onWindows
    ? spawn(['npm', ...args].join(' '), { ...options, shell: true })
    : spawn('npm', args, options);
  const terminate = () => npm.kill('SIGTERM');
  process.on('SIGTERM', terminate);
  return new Promise((resolve, reject) => {
    npm.on('error', (error) => {
      const reason =
        'code' in error && error.code === 'ENOENT' ? 'there is no npm on the PATH' : error.message;
      reject(new Error(`The packages could not be installed: ${reason}.`));
    });
    npm.on('exit', (code, signal) => {
      process.off('SIGTERM', terminate);
      if (code === 0) resolve();
      else {
        const how = signal ?? `exit code ${String(code)}`;
        reject(
          new Error(
            `The packages could not be installed: npm ci ended with ${how} (its messages are above). Nothing is lost; the next start tries again.`,
          ),
        );
      }
    });
  });
}

/**
 * A terminal sends Ctrl-C to the whole foreground process group, a supervisor's kill goes to this
 * process alone, and the two look the same from here. So the child gets a process group of its own
 * and every signal is passed on to that group: it arrives once, whoever sent it. Windows has no
 * such groups; there the console delivers Ctrl-C to the child itself.
 * @param {string} entry
 * @param {string[]} args
 */
function run(entry, args) {
  const lifeline = pathToFileURL(join(root, 'scripts', 'lifeline.mjs')).href;
  const child = spawn(node24, ['--import', lifeline, entry, ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, SWITCHYARD_LIFELINE: '1' },
    detached: !onWindows,
  });
  const send = (/** @type {NodeJS.Signals} */ signal) => {
    if (child.pid === undefined) return;
    try {
      process.kill(onWindows ? child.pid : -child.pid, signal);
    } catch {
      // It has ended already; its exit event follows.
    }
  };

  process.on('SIGINT', () => {
    if (!onWindows) send('SIGINT');
  });
  process.on('SIGTERM', () => send('SIGTERM'));
  process.on('SIGHUP', () => send('SIGHUP'));
  if (!onWindows) {
    process.on('SIGQUIT', () => send('SIGQUIT'));
    process.on('SIGWINCH', () => send('SIGWINCH'));
    process.on('SIGTSTP', () => {
      send('SIGSTOP');
      process.kill(process.pid, 'SIGSTOP');
    });
    process.on('SIGCONT', () => send('SIGCONT'));
  }

  child.on('error', (error) => {
    process.stderr.write(`${node24} cannot be started: ${error.message}.\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    if (onWindows) process.exit(1);
    // End by the same signal, so that a shell sees what it would have seen without us.
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    setTimeout(() => process.exit(128 + constants.signals[signal]), 100);
  });
}
