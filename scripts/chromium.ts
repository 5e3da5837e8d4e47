/** The Chromium that browser tests, the benchmark of the app and its screenshots drive. */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const places = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** Its path: `CHROMIUM`, or a usual place; undefined where there is none. */
export function findChromium(): string | undefined {
  const chosen = process.env['CHROMIUM'];
  return [...(chosen === undefined ? [] : [chosen]), ...places].find((path) => existsSync(path));
}

/**
 * Installs Debian's package where it is missing and this process may: as root, with apt-get. Says
 * what it does; elsewhere it does nothing, and whoever needs a browser says that it is missing.
 */
export function installChromium(): void {
  if (findChromium() !== undefined || process.getuid?.() !== 0) return;
  if (spawnSync('apt-get', ['--version']).error !== undefined) return;
  process.stderr.write('Installing chromium for the browser tests (apt-get) ...\n');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const aptGet = (...args: string[]) =>
    spawnSync('apt-get', ['-qq', ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  aptGet('update');
  aptGet('install', '-y', '--no-install-recommends', 'chromium');
  if (findChromium() === undefined)
    process.stderr.write('chromium could not be installed; the browser tests are skipped.\n');
}

/** What every launch needs: no calls home, and as root no sandbox. */
export const chromiumArguments = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
];
