/** SQLite's and the file system's errors, as sentences that say what happened and what to do. */
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { SwitchyardError } from '../contract/errors.ts';

/** SQLite needs a few pages for its -wal and -shm files; below this it reports odd I/O errors. */
const fullBelowBytes = 256 * 1024;

/** Whether the file system of `file` has no room left; false where that cannot be told. */
function diskIsFull(file: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(file));
    return bavail * bsize < fullBelowBytes;
  } catch {
    return false;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';
}

/**
 * The `SwitchyardError` that stands for `error`; anything that neither SQLite nor the file system
 * raised comes back as it is.
 * @param file the database's path.
 */
export function translateError(error: unknown, file: string): unknown {
  if (error instanceof SwitchyardError) return error;
  const code = codeOf(error);
  const fromSqlite = error instanceof Database.SqliteError;
  const detail = error instanceof Error ? error.message : String(error);

  // A full disk shows as SQLITE_FULL when a page is written, but as an I/O or open error when the
  // -shm file cannot grow or a new file cannot be made.
  const perhapsFull = code.startsWith('SQLITE_IOERR') || code === 'SQLITE_CANTOPEN';
  if (
    code === 'SQLITE_FULL' ||
    code === 'ENOSPC' ||
    code === 'EDQUOT' ||
    (perhapsFull && diskIsFull(file))
  )
    return new SwitchyardError(
      'disk-full',
      `The disk that holds "${file}" is full: the last change was not saved, everything saved before it is intact. Free some space there and try again.`,
      { cause: error },
    );
  if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT'))
    return new SwitchyardError(
      'invalid-data',
      `"${file}" is not a Switchyard database, or it is damaged (${detail}). It was left as it is: move it away to start afresh, or put a snapshot in its place.`,
      { cause: error },
    );
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED'))
    return new SwitchyardError(
      'conflict',
      `The database "${file}" is kept locked by another process (${detail}). Try again once that process is done with it.`,
      { cause: error },
    );
  if (code.startsWith('SQLITE_CANTOPEN') || code.startsWith('SQLITE_READONLY'))
    return new SwitchyardError(
      'invalid-argument',
      `The database "${file}" cannot be opened for writing (${detail}). It must be a file in a folder that you may write to.`,
      { cause: error },
    );
  if (fromSqlite)
    return new SwitchyardError('internal', `The database "${file}" failed: ${detail} (${code}).`, {
      cause: error,
    });
  return error;
}

/** Whether another process kept the database locked for longer than the time-out: trying again may help. */
export function isDatabaseLocked(error: unknown): boolean {
  const code = error instanceof SwitchyardError ? codeOf(error.cause) : codeOf(error);
  return code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED');
}

/** Whether SQLite refused a row because its value of a UNIQUE column is taken. */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code === 'SQLITE_CONSTRAINT_UNIQUE';
}

/** Whether SQLite refused a change because of a reference between rows. */
export function isForeignKeyViolation(error: unknown): boolean {
  return (
    error instanceof Database.SqliteError &&
    // RESTRICT reports as a trigger's refusal, a missing parent as the foreign key itself.
    (error.code === 'SQLITE_CONSTRAINT_FOREIGNKEY' || error.code === 'SQLITE_CONSTRAINT_TRIGGER')
  );
}
