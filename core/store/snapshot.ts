/** A verified copy of the database, made before its schema changes. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { SwitchyardError } from '../contract/errors.ts';

/** Makes what was written to a file or folder survive a power loss. Windows cannot sync folders. */
function syncToDisk(path: string, flags: 'r' | 'r+'): void {
  const handle = openSync(path, flags);
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function verify(path: string, version: number): void {
  const copy = new Database(path, { readonly: true, fileMustExist: true });
  try {
    const report = copy.pragma('integrity_check', { simple: true }) as string;
    const found = copy.pragma('user_version', { simple: true }) as number;
    if (report !== 'ok')
      throw new SwitchyardError(
        'invalid-data',
        `The snapshot before the update is not intact (${report}), so the database was not changed. It is probably damaged itself.`,
      );
    if (found !== version)
      throw new SwitchyardError(
        'conflict',
        `Another process updated the database meanwhile (schema ${found} instead of ${version}). Start again.`,
      );
  } finally {
    copy.close();
  }
}

/**
 * Copies the database to `<file>.v<version>-<time>.snapshot` in the same folder, checks the copy's
 * integrity and syncs it to disk. Existing snapshots are never replaced. Needs as much free space as
 * the database takes; a failure leaves nothing behind. Must not be called inside a transaction.
 * @returns the snapshot's path.
 */
export function takeSnapshot(db: Database.Database, file: string, version: number): string {
  const time = new Date().toISOString().replaceAll(/[-:.]/gu, '');
  const path = `${file}.v${version}-${time}.snapshot`;
  const unfinished = `${path}.${process.pid}.tmp`;
  try {
    db.prepare('VACUUM INTO ?').run(unfinished);
    verify(unfinished, version);
    syncToDisk(unfinished, 'r+');
    renameSync(unfinished, path);
    if (process.platform !== 'win32') syncToDisk(dirname(path), 'r');
    return path;
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}
