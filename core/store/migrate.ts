/**
 * Brings a database to the newest schema. `migrations/NNNN_name.sql`, numbered from 0001 without
 * gaps, are applied in order; the number of the last one is the database's `user_version`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { SwitchyardError } from '../contract/errors.ts';
import { takeSnapshot } from './snapshot.ts';

/** "SWyh" in every database's header: tells our files from other programs'. */
const applicationId = 0x53577968;

interface Migration {
  version: number;
  file: string;
  sql: string;
}

function readMigrations(directory: string): Migration[] {
  const migrations = readdirSync(directory)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => ({
      version: Number(/^(\d{4})_[a-z0-9_]+\.sql$/u.exec(name)?.[1]),
      file: name,
      sql: readFileSync(join(directory, name), 'utf8'),
    }));
  migrations.forEach(({ version, file }, index) => {
    if (version !== index + 1)
      throw new SwitchyardError(
        'internal',
        `The migration "${file}" in "${directory}" is out of order: number ${index + 1} was expected there, as NNNN_name.sql.`,
      );
  });
  if (migrations.length === 0)
    throw new SwitchyardError('internal', `There are no migrations in "${directory}".`);
  return migrations;
}

function versionOf(db: Database.Database): number {
  return db.pragma('user_version', { simple: true }) as number;
}

/** Refuses what this version must not touch: a newer database, or another program's. Only reads. */
function checkUsable(db: Database.Database, file: string, newest: number): void {
  // One transaction: between two reads of their own another process could create the schema, and
  // what is left of the old state and seen of the new would look like a foreign database.
  const { version, id, tables } = db.transaction(() => ({
    version: versionOf(db),
    id: db.pragma('application_id', { simple: true }) as number,
    tables: db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() as number,
  }))();
  const foreign =
    id !== applicationId && (id !== 0 || (version <= newest && (tables > 0 || version > 0)));
  if (foreign)
    throw new SwitchyardError(
      'invalid-data',
      `"${file}" is a SQLite database of another program, not Switchyard's. It was left as it is; choose another data folder or move the file away.`,
    );
  if (version > newest)
    throw new SwitchyardError(
      'newer-database',
      `"${file}" was written by a later version of Switchyard (its schema is number ${version}, this version knows up to ${newest}). It was left as it is; update Switchyard to open it.`,
    );
}

function apply(db: Database.Database, { version, file, sql }: Migration): void {
  try {
    db.exec(sql);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    // A full disk must be told apart from a wrong statement: the caller translates it.
    if (error instanceof Error && 'code' in error && error.code !== 'SQLITE_ERROR') throw error;
    throw new SwitchyardError('internal', `The migration "${file}" failed: ${detail}`, {
      cause: error,
    });
  }
  if (!db.inTransaction)
    throw new SwitchyardError('internal', `The migration "${file}" must not end its transaction.`);
  db.pragma(`user_version = ${version}`);
}

/**
 * Applies all pending migrations and their version bumps in one transaction, so the database is
 * afterwards at the newest schema or, if anything fails, exactly as it was. A database with content
 * is first copied to a verified snapshot beside it. Safe when several processes open it at once.
 *
 * Throws `newer-database` for a database of a later version, `invalid-data` for another program's.
 * @returns the snapshot's path, or null if none was needed.
 */
export function migrate(db: Database.Database, file: string, directory: string): string | null {
  const migrations = readMigrations(directory);
  const newest = migrations.length;
  checkUsable(db, file, newest);
  const version = versionOf(db);
  if (version === newest) return null;
  const snapshot = version === 0 ? null : takeSnapshot(db, file, version);

  // Rebuilding a table drops it, which would cascade; references are checked as a whole instead.
  // The pragma does nothing inside a transaction, hence here.
  const enforced = db.pragma('foreign_keys', { simple: true }) as number;
  db.pragma('foreign_keys = OFF');
  try {
    db.transaction(() => {
      // Another process may have migrated since; the lock is ours now, so look again.
      checkUsable(db, file, newest);
      for (const migration of migrations.slice(versionOf(db))) apply(db, migration);
      db.pragma(`application_id = ${applicationId}`);
      const broken = db.pragma('foreign_key_check') as { table: string; parent: string }[];
      if (broken.length > 0)
        throw new SwitchyardError(
          'internal',
          `The migration to schema ${newest} would leave ${broken.length} rows without what they refer to (first: ${broken[0].table} to ${broken[0].parent}); it was undone.`,
        );
    }).immediate();
  } finally {
    db.pragma(`foreign_keys = ${enforced}`);
  }
  return snapshot;
}
