/**
 * Opens Switchyard's database: one SQLite file in WAL mode, written only by core processes. Several
 * may have it open. Everything is synchronous; SQLite answers in microseconds.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { createCheckpointStore, type CheckpointStore } from './checkpoints.ts';
import { createConnection } from './connection.ts';
import { createDatasetStore, type DatasetStore } from './datasets.ts';
import { createLogStore, type LogStore } from './logs.ts';
import { createMetricStore, type MetricStore } from './metrics.ts';
import { migrate } from './migrate.ts';
import { createRunStore, type RunStore } from './runs.ts';
import { translateError } from './sqliteErrors.ts';

export interface Store {
  readonly datasets: DatasetStore;
  readonly runs: RunStore;
  readonly metrics: MetricStore;
  readonly checkpoints: CheckpointStore;
  readonly logs: LogStore;
  /** The copy made because opening changed the schema of an existing database, else null. */
  readonly snapshot: string | null;
  /** All changes that `work` makes through this store, or none if it throws. `work` must not await. */
  transaction<T>(work: () => T): T;
  /**
   * A function that says whether no other connection has written since it was called last, or since
   * it was made.
   */
  createChangeDetector(): () => boolean;
  /** Closing twice is allowed; using a closed store throws. */
  close(): void;
}

export interface StoreOptions {
  /** Folder of the migrations, for tests and packaged apps. Default: `migrations/` of this project. */
  migrations?: string;
  /** How long to wait for another process's write, in milliseconds. Default 5,000. */
  busyTimeout?: number;
}

const ownMigrations = fileURLToPath(new URL('../../migrations/', import.meta.url));

/**
 * How much a crash can take. In WAL mode with synchronous NORMAL a commit is a write to the -wal file
 * that is not synced:
 * - kill -9 or a crash of the core loses nothing that was committed: the operating system has it.
 * - A power loss or a crash of the operating system can undo the latest commits, back to the last
 *   sync, but never damages the database or tears a transaction.
 * A sync at every batch of metrics would stall the core's only thread for milliseconds each on a disk
 * that the trainer's checkpoints keep busy. So only `checkpoints.add` and `runs.finish` sync, together
 * with everything before them: what a power loss can then take is metrics later than the last
 * checkpoint, which resuming would remove anyway.
 */
function configure(db: Database.Database): void {
  const journal = db.pragma('journal_mode = WAL', { simple: true }) as string;
  // Some file systems cannot do WAL; NORMAL is safe only with it.
  db.pragma(`synchronous = ${journal === 'wal' ? 'NORMAL' : 'FULL'}`);
  db.pragma('foreign_keys = ON');
}

/**
 * Opens the database, creating it and its folder if need be, and brings it to the newest schema.
 * Throws `newer-database`, `invalid-data` (not a database, damaged, or another program's; the file is
 * left as it is), `disk-full`, `conflict` (locked for longer than the time-out) or `invalid-argument`
 * (cannot be opened for writing).
 */
export function openStore(file: string, options: StoreOptions = {}): Store {
  const { migrations = ownMigrations, busyTimeout = 5000 } = options;
  let db: Database.Database | null = null;
  try {
    if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true });
    db = new Database(file, { timeout: busyTimeout });
    // Migrating comes first: its checks only read, so a file that is refused is not converted to WAL.
    const snapshot = migrate(db, file, migrations);
    configure(db);
    return createStore(db, file, snapshot);
  } catch (error) {
    db?.close();
    throw translateError(error, file);
  }
}

function createStore(db: Database.Database, file: string, snapshot: string | null): Store {
  const connection = createConnection(db, file);
  return {
    datasets: createDatasetStore(connection),
    runs: createRunStore(connection),
    metrics: createMetricStore(connection),
    checkpoints: createCheckpointStore(connection),
    logs: createLogStore(connection),
    snapshot,
    transaction: connection.write,
    createChangeDetector: () => {
      const version = () => connection.read(() => db.pragma('data_version', { simple: true }));
      let last = version();
      return () => {
        const before = last;
        last = version();
        return last === before;
      };
    },
    close: () => db.close(),
  };
}
