/** Queries of the `logs` table: what a run said, for people. */
import { SwitchyardError } from '../contract/errors.ts';
import type { LogEntry } from '../contract/records.ts';
import type { Connection } from './connection.ts';
import { isForeignKeyViolation } from './sqliteErrors.ts';

export interface LogStore {
  /** Throws `not-found` if there is no such run. */
  append(entry: LogEntry): void;
  /** The latest `limit` entries (default 1,000), oldest first. */
  read(runId: string, limit?: number): LogEntry[];
}

export function createLogStore({ db, read, write }: Connection): LogStore {
  const insert = db.prepare<LogEntry>(
    'INSERT INTO logs (run_id, time, level, message) VALUES (@runId, @time, @level, @message)',
  );
  const latest = db.prepare<[string, number], LogEntry>(
    'SELECT run_id AS runId, time, level, message FROM logs WHERE run_id = ? ORDER BY id DESC LIMIT ?',
  );
  return {
    append: (entry) =>
      write(() => {
        try {
          insert.run(entry);
        } catch (error) {
          if (!isForeignKeyViolation(error)) throw error;
          throw new SwitchyardError('not-found', `There is no run "${entry.runId}".`, {
            cause: error,
          });
        }
      }),
    read: (runId, limit = 1000) => read(() => latest.all(runId, limit).reverse()),
  };
}
