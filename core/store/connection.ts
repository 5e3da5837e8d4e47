/**
 * What every table's queries share: the open database, and the three ways to touch it. All of them
 * turn SQLite's errors into `SwitchyardError`s; every change goes through one transaction.
 */
import type Database from 'better-sqlite3';
import { translateError } from './sqliteErrors.ts';

export interface Connection {
  readonly db: Database.Database;
  readonly read: <T>(work: () => T) => T;
  /** All of `work` or nothing. Nests: an inner `write` becomes a savepoint of the outer one. */
  readonly write: <T>(work: () => T) => T;
  /**
   * Like `write`, and on return this change and all earlier ones have reached the disk itself, so
   * that not even a power loss undoes them. Inside another transaction it is a plain `write`.
   */
  readonly writeDurably: <T>(work: () => T) => T;
}

/** @param file the database's path, for messages. */
export function createConnection(db: Database.Database, file: string): Connection {
  // IMMEDIATE takes the write lock before the first read: a transaction that reads and then writes
  // would otherwise fail, without waiting, when another process has written in between.
  const transact = db.transaction((work: () => unknown) => work());

  const read = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw translateError(error, file);
    }
  };
  const write = <T>(work: () => T): T => read(() => transact.immediate(work) as T);

  return {
    db,
    read,
    write,
    writeDurably: (work) => {
      if (db.inTransaction) return write(work);
      const usual = db.pragma('synchronous', { simple: true }) as number;
      db.pragma('synchronous = FULL');
      try {
        return write(work);
      } finally {
        db.pragma(`synchronous = ${usual}`);
      }
    },
  };
}
