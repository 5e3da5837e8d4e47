import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import Database from 'better-sqlite3';
import { openStore, type Store, type StoreOptions } from './database.ts';
import {
  addRun,
  failsWith,
  startChild,
  stepMetric,
  temporaryStore,
  withNextMigration,
} from './testing/fixtures.ts';

test('kill -9 loses nothing that was committed, and tears nothing', async (t) => {
  const store = temporaryStore(t);
  const runId = addRun(store);
  store.close();
  const child = startChild(t, 'append', store.file, runId);
  await child.printed(300);
  await child.kill();
  const committed = Number(child.lines.at(-1));

  const reopened = openStore(store.file);
  const { steps, validations } = reopened.metrics.read(runId);
  const run = reopened.runs.get(runId);
  reopened.close();
  // The last transaction may have been committed and not yet printed.
  assert.ok(steps.length >= committed, `${steps.length} of ${committed}`);
  assert.deepEqual(
    steps,
    steps.map((_, index) => stepMetric(index + 1)),
  );
  assert.equal(validations.length * 2, steps.length);
  assert.equal(run.step, steps.length);
  assert.equal(run.lastValidationLoss, validations.at(-1)?.loss);

  const db = new Database(store.file, { readonly: true });
  assert.equal(db.pragma('integrity_check', { simple: true }), 'ok');
  db.close();
});

test('a database that another process keeps locked says so', (t) => {
  const store = temporaryStore(t, { busyTimeout: 50 });
  const runId = addRun(store);
  const other = new Database(store.file);
  other.exec('BEGIN IMMEDIATE');
  assert.throws(
    () => store.metrics.append(runId, [stepMetric(1)]),
    failsWith('conflict', /kept locked by another process/),
  );
  assert.equal(store.runs.get(runId).step, 0); // reading goes on meanwhile
  other.exec('ROLLBACK');
  other.close();
  store.metrics.append(runId, [stepMetric(1)]);
  assert.equal(store.runs.get(runId).step, 1);
});

interface SmallDisk {
  path: string;
  /** Opens a store on the disk; closed before the disk is unmounted. */
  open: (options?: StoreOptions) => Store;
}

/** Mounts a file system of a few megabytes, unmounted when the test ends; or says why not. */
function smallDisk(test: TestContext, megabytes: number): SmallDisk | { reason: string } {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return { reason: 'mounting a small disk needs root on Linux' };
  const path = mkdtempSync(join(tmpdir(), 'switchyard-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path], {
    encoding: 'utf8',
  });
  if (mounted.status !== 0) {
    rmdirSync(path);
    return { reason: `mounting a small disk is not allowed here: ${mounted.stderr.trim()}` };
  }
  const stores: Store[] = [];
  test.after(() => {
    for (const store of stores) store.close();
    execFileSync('umount', [path]);
    rmdirSync(path);
  });
  return {
    path,
    open: (options) => {
      const store = openStore(join(path, 'switchyard.db'), options);
      stores.push(store);
      return store;
    },
  };
}

const isFull = failsWith('disk-full', /switchyard\.db" is full.*Free some space/);

test('a full disk is reported as such and loses nothing; with room again, work goes on', (t) => {
  const disk = smallDisk(t, 4);
  if ('reason' in disk) {
    t.skip(disk.reason);
    return;
  }
  const store = disk.open();
  const runId = addRun(store);
  store.runs.finish(runId, { status: 'stopped' });
  const ballast = join(disk.path, 'ballast');
  writeFileSync(ballast, new Uint8Array(2 * 1024 * 1024));

  let step = 0;
  assert.throws(() => {
    for (;;) {
      store.metrics.append(
        runId,
        Array.from({ length: 200 }, (_, index) => stepMetric(step + index + 1)),
      );
      step += 200;
    }
  }, isFull);
  assert.ok(step > 0);
  const holdsAll = (opened: Store) => {
    assert.equal(opened.metrics.read(runId).steps.length, step);
    assert.equal(opened.runs.get(runId).step, step);
  };
  holdsAll(store);
  store.close();

  rmSync(ballast);
  const reopened = disk.open();
  holdsAll(reopened);
  reopened.metrics.append(runId, [stepMetric(++step)]);
  holdsAll(reopened);
  reopened.close();

  // Not even room for the -wal and -shm files.
  assert.throws(() => {
    for (let part = 0; ; part++)
      writeFileSync(join(disk.path, `ballast-${part}`), new Uint8Array(4096));
  }, /ENOSPC/);
  const bytes = readFileSync(join(disk.path, 'switchyard.db'));
  assert.throws(() => disk.open().runs.claim(runId), isFull);
  assert.deepEqual(readFileSync(join(disk.path, 'switchyard.db')), bytes);
  for (const name of readdirSync(disk.path))
    if (name.startsWith('ballast')) rmSync(join(disk.path, name));
  const last = disk.open();
  holdsAll(last);
  assert.equal(last.runs.claim(runId).status, 'running');
});

test('no room for the snapshot: the database stays at its version, without leftovers', (t) => {
  const disk = smallDisk(t, 4);
  if ('reason' in disk) {
    t.skip(disk.reason);
    return;
  }
  const store = disk.open();
  const runId = addRun(store);
  store.metrics.append(
    runId,
    Array.from({ length: 12_000 }, (_, index) => stepMetric(index + 1)),
  );
  store.close();
  writeFileSync(join(disk.path, 'ballast'), new Uint8Array(2.5 * 1024 * 1024));

  const migrations = withNextMigration(t, 'CREATE TABLE extra (x TEXT);');
  assert.throws(() => disk.open({ migrations }), isFull);
  assert.deepEqual(readdirSync(disk.path), ['ballast', 'switchyard.db']);
  assert.equal(disk.open().metrics.read(runId).steps.length, 12_000);
});
