/**
 * How fast the app is: painting, starting, live runs, long histories, long lists. Prints what it saw
 * in real Chromium; docs and goals are in app.md. Parts can be chosen by name.
 *
 *   node benchmarks/app.mjs [paint] [start] [live] [stress] [long] [many]
 */
import { spawnSync } from 'node:child_process';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { closeBrowser, noBrowser, root } from '../tests/browser/app.ts';
import { line } from './app/report.ts';
import {
  measureLive,
  measureLong,
  measureMany,
  measurePaint,
  measureStart,
} from './app/measure.ts';

const parts = {
  paint: () => measurePaint(),
  start: () => measureStart(),
  live: () => measureLive(4, 60),
  stress: () => measureLive(10, 30),
  long: () => measureLong(),
  many: () => measureMany(),
};

const chosen = process.argv.slice(2);
const unknown = chosen.find((name) => !(name in parts));
if (noBrowser !== false) fail(noBrowser);
if (unknown !== undefined)
  fail(`There is no part "${unknown}"; there are ${Object.keys(parts).join(', ')}.`);
const built = spawnSync(process.execPath, [join(root, 'scripts', 'build.ts'), 'renderer'], {
  stdio: ['ignore', 2, 2],
});
if (built.status !== 0) fail('The page could not be built.');

try {
  for (const [name, measure] of Object.entries(parts)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    await measure();
    line(
      'load of the machine',
      loadavg()
        .map((each) => each.toFixed(1))
        .join(', '),
    );
  }
} finally {
  await closeBrowser();
}

function fail(reason: string): never {
  process.stderr.write(`${reason}\n`);
  process.exit(1);
}
