import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import Database from 'better-sqlite3';
import { openStore } from './database.ts';
import {
  addRun,
  failsWith,
  newest,
  startChild,
  stepMetric,
  temporaryFolder,
  withNextMigration,
} from './testing/fixtures.ts';

function inspect<T>(file: string, look: (db: Database.Database) => T): T {
  const db = new Database(file, { readonly: true });
  try {
    return look(db);
  } finally {
    db.close();
  }
}
const versionOf = (file: string) =>
  inspect(file, (db) => db.pragma('user_version', { simple: true }));
const tablesOf = (file: string) =>
  inspect(file, (db) =>
    db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").pluck().all(),
  );

/** A database with one run of three steps, closed. */
function existingDatabase(test: TestContext): { folder: string; file: string; runId: string } {
  const folder = temporaryFolder(test);
  const file = join(folder, 'switchyard.db');
  const store = openStore(file);
  const runId = addRun(store);
  store.metrics.append(
    runId,
    [1, 2, 3].map((step) => stepMetric(step)),
  );
  store.close();
  return { folder, file, runId };
}

test('0001: an empty file becomes a database with all tables, strict and with checks', (t) => {
  const file = join(temporaryFolder(t), 'new', 'switchyard.db');
  const store = openStore(file);
  assert.equal(store.snapshot, null);
  store.close();
  assert.equal(versionOf(file), newest);
  const tables = ['checkpoints', 'datasets', 'logs', 'runs', 'steps', 'validations'];
  assert.deepEqual(tablesOf(file), tables);
  inspect(file, (db) => {
    const strict = db.pragma('table_list') as { name: string; strict: number }[];
    for (const { name, strict: isStrict } of strict)
      if (tables.includes(name)) assert.equal(isStrict, 1, name);
  });
});

test('0002: runs of an older database get no tags, an empty note, are not paused, and keep the rest', (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'switchyard.db');
  const old = new Database(file);
  old.exec(readFileSync(new URL('../../migrations/0001_initial.sql', import.meta.url), 'utf8'));
  old.pragma('user_version = 1');
  old.pragma(
    `application_id = ${inspect(existingDatabase(t).file, (db) => db.pragma('application_id', { simple: true }) as number)}`,
  );
  old.exec(`INSERT INTO datasets VALUES ('d-1', 'text', '/text.txt', 100, '${'a'.repeat(64)}',
    'byte', 256, 0.1, 90, 10, '2026-01-01T00:00:00.000Z')`);
  const insert = old.prepare(`INSERT INTO runs (id, name, status, config, dataset_id, backend,
    created_at, parameters, macs, attention_macs, attention_floats, step, owner_pid)
    VALUES (?, ?, ?, '{}', 'd-1', 'cpu', '2026-01-01T00:00:00.000Z', 1, 2, 3, 4, ?, ?)`);
  insert.run('r-done', 'done', 'finished', 7, null);
  insert.run('r-left', 'left', 'running', 3, 999_999_999);
  old.close();

  const store = openStore(file);
  assert.ok(store.snapshot);
  const { tags, note, status, name, step, macs } = store.runs.get('r-done');
  assert.deepEqual([tags, note, status, name, step, macs], [[], '', 'finished', 'done', 7, 2]);
  assert.equal(store.runs.get('r-left').status, 'running');
  store.close();
  assert.equal(versionOf(file), newest);
  const db = new Database(file);
  for (const wrong of [
    "paused = 1 WHERE id = 'r-done'", // only a running run can be paused
    "paused = 2 WHERE id = 'r-left'",
    `tags = '{}'`,
    `tags = 'one'`,
  ])
    assert.throws(() => db.exec(`UPDATE runs SET ${wrong}`), /CHECK constraint failed/u, wrong);
  db.close();
});

test('0003: validations of an older database have no accuracy, nor have its runs', (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'switchyard.db');
  const old = new Database(file);
  for (const name of ['0001_initial.sql', '0002_pause_tags_notes.sql'])
    old.exec(readFileSync(new URL(`../../migrations/${name}`, import.meta.url), 'utf8'));
  old.pragma('user_version = 2');
  old.pragma(
    `application_id = ${inspect(existingDatabase(t).file, (db) => db.pragma('application_id', { simple: true }) as number)}`,
  );
  old.exec(`INSERT INTO datasets VALUES ('d-1', 'text', '/text.txt', 100, '${'a'.repeat(64)}',
      'byte', 256, 0.1, 90, 10, '2026-01-01T00:00:00.000Z');
    INSERT INTO runs (id, name, status, config, dataset_id, backend, created_at, parameters, macs,
      attention_macs, attention_floats, step) VALUES ('r-1', 'one', 'stopped', '{}', 'd-1', 'cpu',
      '2026-01-01T00:00:00.000Z', 1, 2, 3, 4, 7);
    INSERT INTO validations VALUES ('r-1', 5, 1.5, 1000, 80)`);
  old.close();

  const store = openStore(file);
  assert.ok(store.snapshot);
  const before = { step: 5, loss: 1.5, accuracy: null, tokens: 1000, milliseconds: 80 };
  assert.deepEqual(store.metrics.read('r-1').validations, [before]);
  const { lastAccuracy, bestAccuracy } = store.runs.get('r-1');
  assert.deepEqual([lastAccuracy, bestAccuracy], [null, null]);
  const after = { ...before, step: 6, accuracy: 0.5 };
  store.metrics.append('r-1', [], [after]);
  assert.deepEqual(store.metrics.read('r-1').validations, [before, after]);
  assert.equal(store.runs.get('r-1').bestAccuracy, 0.5);
  store.close();
  assert.equal(versionOf(file), newest);
  const db = new Database(file);
  assert.throws(() => db.exec('UPDATE validations SET accuracy = 1.5'), /CHECK constraint failed/u);
  db.close();
});

test('opening an up-to-date database again changes and copies nothing', (t) => {
  const { folder, file, runId } = existingDatabase(t);
  const store = openStore(file);
  assert.equal(store.snapshot, null);
  assert.equal(store.runs.get(runId).step, 3);
  store.close();
  assert.deepEqual(readdirSync(folder), ['switchyard.db']);
});

test('migrating a database with content keeps it and leaves an intact copy of the old state', (t) => {
  const { file, runId } = existingDatabase(t);
  const migrations = withNextMigration(t, 'ALTER TABLE runs ADD COLUMN colour TEXT;');
  const store = openStore(file, { migrations });
  assert.equal(store.runs.get(runId).step, 3);
  assert.ok(store.snapshot);
  store.close();
  assert.equal(versionOf(file), newest + 1);

  assert.equal(versionOf(store.snapshot), newest);
  const before = openStore(store.snapshot); // usable by the version that wrote it
  assert.equal(before.metrics.read(runId).steps.length, 3);
  before.close();
});

test('a migration may rebuild a table that others refer to without losing their rows', (t) => {
  const { file, runId } = existingDatabase(t);
  const migrations = withNextMigration(
    t,
    `CREATE TABLE rebuilt AS SELECT * FROM runs; DROP TABLE runs;
     CREATE TABLE runs (id TEXT PRIMARY KEY); INSERT INTO runs SELECT id FROM rebuilt;
     DROP TABLE rebuilt;`,
  );
  assert.throws(() => openStore(file, { migrations })); // the queries want the dropped columns
  inspect(file, (db) => {
    assert.equal(db.pragma('user_version', { simple: true }), newest + 1);
    const steps = db.prepare('SELECT count(*) FROM steps WHERE run_id = ?').pluck().get(runId);
    assert.equal(steps, 3);
  });
});

test('a failing migration leaves the database as it was, for the version that wrote it', (t) => {
  const { file, runId } = existingDatabase(t);
  for (const [sql, message] of [
    ['DELETE FROM steps; CREATE TABLE extra (x TEXT); SELECT no_such_function();', /_next\.sql/],
    ['DELETE FROM runs;', /3 rows without what they refer to/],
    ['DELETE FROM steps; ROLLBACK;', /must not end its transaction/],
  ] as const) {
    const migrations = withNextMigration(t, sql);
    assert.throws(() => openStore(file, { migrations }), failsWith('internal', message));
    assert.equal(versionOf(file), newest);
    assert.ok(!tablesOf(file).includes('extra'));
    const store = openStore(file);
    assert.equal(store.metrics.read(runId).steps.length, 3);
    store.close();
  }
});

test('a database of a later version is refused and not touched', (t) => {
  const { file } = existingDatabase(t);
  const db = new Database(file);
  db.pragma(`user_version = ${newest + 1}`);
  db.close();
  const bytes = readFileSync(file);
  assert.throws(
    () => openStore(file),
    failsWith('newer-database', new RegExp(`later version.*number ${newest + 1}.*up to ${newest}`)),
  );
  assert.deepEqual(readFileSync(file), bytes);
});

test('files that are not our database are refused and not touched', (t) => {
  const { folder, file } = existingDatabase(t);
  const text = join(folder, 'text.db');
  writeFileSync(text, 'These are not the tables you are looking for. '.repeat(200));
  const foreign = join(folder, 'foreign.db');
  const other = new Database(foreign);
  other.exec('CREATE TABLE bookmarks (url TEXT)');
  other.close();
  const damaged = join(folder, 'damaged.db');
  const whole = readFileSync(file);
  writeFileSync(damaged, whole.fill(0x55, 100, 4096)); // the schema's page, past the header

  for (const [path, message] of [
    [text, /not a Switchyard database, or it is damaged/],
    [foreign, /of another program/],
    [damaged, /not a Switchyard database, or it is damaged/],
  ] as const) {
    const bytes = readFileSync(path);
    assert.throws(() => openStore(path), failsWith('invalid-data', message));
    assert.deepEqual(readFileSync(path), bytes);
    assert.ok(!existsSync(`${path}-wal`));
  }
});

test('a path that cannot be a database says so', (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'folder.db'));
  assert.throws(
    () => openStore(join(folder, 'folder.db')),
    failsWith('invalid-argument', /folder\.db.*cannot be opened for writing/),
  );
});

test('several processes can open a new database at the same time', async (t) => {
  const file = join(temporaryFolder(t), 'switchyard.db');
  const children = Array.from({ length: 6 }, () => startChild(t, 'open', file));
  assert.deepEqual(
    await Promise.all(children.map(({ ended }) => ended)),
    children.map(() => 0),
  );
});
