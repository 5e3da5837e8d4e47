/**
 * `npm run build`: builds the page and the desktop shell into dist/, each only if what it is made of
 * has changed since. `switchyard` and `switchyard serve` run this before they start. Arguments name
 * the parts: `renderer`, `electron`.
 */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { withLock } from './lock.mjs';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');

interface Part {
  readonly name: string;
  /** What people call it. */
  readonly words: string;
  /** Beside core/contract and the packages. */
  readonly sources: readonly string[];
}

const parts: readonly Part[] = [
  { name: 'renderer', words: 'the page', sources: ['renderer/**/*'] },
  {
    name: 'electron',
    words: 'the desktop shell',
    sources: ['electron/**/*', 'core/server/supervisor.ts', 'core/server/coreMessages.ts'],
  },
];

const chosen = process.argv.slice(2);
const wanted = parts.filter(({ name }) => chosen.length === 0 || chosen.includes(name));
mkdirSync(dist, { recursive: true });
for (const part of wanted) {
  if (isCurrent(part)) continue;
  await withLock(
    join(dist, `.${part.name}.lock`),
    () => {
      if (!isCurrent(part)) build(part);
      return Promise.resolve();
    },
    () => process.stderr.write(`Another process is building ${part.words}; waiting for it ...\n`),
  );
}

function stampOf({ name }: Part): string {
  return join(dist, name, '.built-from');
}

/** A hash over everything that the part is made of. */
function sourcesHash({ sources }: Part): string {
  const hash = createHash('sha256');
  const patterns = [...sources, 'core/contract/*.ts', 'package-lock.json', 'tsconfig.json'];
  const files = globSync(patterns, { cwd: root, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const file of files) hash.update(file.slice(root.length)).update(readFileSync(file));
  return hash.digest('hex');
}

function isCurrent(part: Part): boolean {
  const stamp = stampOf(part);
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === sourcesHash(part);
}

/** Builds beside the old one and takes its place only when it is whole. */
function build(part: Part): void {
  process.stderr.write(`Building ${part.words} ...\n`);
  const unfinished = join(dist, `.${part.name}`);
  const from = sourcesHash(part);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules', 'vite', 'bin', 'vite.js'),
      ...['build', '--config', join(root, part.name, 'vite.config.ts'), '--outDir', unfinished],
      '--emptyOutDir',
    ],
    { cwd: root, encoding: 'utf8' },
  );
  if (status !== 0) {
    process.stderr.write(`${stdout}${stderr}\n${part.words} could not be built.\n`);
    process.exit(1);
  }
  writeFileSync(join(unfinished, '.built-from'), from);
  rmSync(join(dist, part.name), { recursive: true, force: true });
  renameSync(unfinished, join(dist, part.name));
}
