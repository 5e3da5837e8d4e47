/** What `npm ci` on any machine relies on, and what a hand-run `npm install` may silently undo. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const root = dirname(import.meta.dirname);

interface Manifest {
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
  readonly optionalDependencies: Record<string, string>;
}
interface LockedPackage {
  readonly integrity?: string;
  readonly resolved?: string;
  readonly gypfile?: boolean;
  readonly optionalDependencies?: Record<string, string>;
}

const read = (name: string): unknown => JSON.parse(readFileSync(join(root, name), 'utf8'));
const manifest = read('package.json') as Manifest;
const locked = (read('package-lock.json') as { packages: Record<string, LockedPackage> }).packages;

test('every version is exact', () => {
  const { dependencies, devDependencies, optionalDependencies } = manifest;
  const all = { ...dependencies, ...devDependencies, ...optionalDependencies };
  for (const [name, version] of Object.entries(all)) {
    assert.match(version, /^\d+\.\d+\.\d+$/, `${name} is pinned to "${version}"`);
  }
});

test('the lock file names no registry and holds the packages of every platform', () => {
  for (const [path, entry] of Object.entries(locked)) {
    if (path === '') continue;
    assert.equal(entry.resolved, undefined, `${path} names where it was downloaded from`);
    assert.ok(entry.integrity, `${path} has no integrity hash`);
    for (const name of Object.keys(entry.optionalDependencies ?? {})) {
      assert.ok(`node_modules/${name}` in locked, `${name}, wanted by ${path}, is missing`);
    }
  }
});

test('better-sqlite3 is marked as needing no compiler', () => {
  // Its package.json says so, but npm leaves that out of the lock file; npm 9 and 10 then compile it
  // on every install, which fails without headers. npm 11 goes by allowScripts in package.json.
  assert.equal(
    locked['node_modules/better-sqlite3']?.gypfile,
    false,
    'package-lock.json: put "gypfile": false back into the entry of node_modules/better-sqlite3',
  );
});
