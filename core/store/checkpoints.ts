/** Queries of the `checkpoints` table. The tensors are files under the run's `checkpoints/`. */
import type Database from 'better-sqlite3';
import { SwitchyardError } from '../contract/errors.ts';
import type { Checkpoint } from '../contract/records.ts';
import type { Connection } from './connection.ts';
import { isForeignKeyViolation } from './sqliteErrors.ts';

export interface CheckpointStore {
  /**
   * Records a checkpoint whose files are already on disk; one of the same step is replaced. If it is
   * the best, no other one of the run is any more. On return the row, and every metric recorded
   * before it, survive a power loss. Throws `not-found` if there is no such run.
   */
  add(checkpoint: Omit<Checkpoint, 'createdAt'>): Checkpoint;
  /** By ascending step. */
  list(runId: string): Checkpoint[];
  /** Of the latest step, or null. */
  last(runId: string): Checkpoint | null;
  /** The one marked best, or null. */
  best(runId: string): Checkpoint | null;
  /**
   * Forgets a checkpoint; does nothing if there is none. If it was the best, the best that remains
   * takes its place. Its folder is the caller's to delete.
   */
  remove(runId: string, step: number): void;
}

type CheckpointRow = Omit<Checkpoint, 'best'> & { best: number };

const columns = `run_id AS runId, step, folder, bytes, validation_loss AS validationLoss, best,
  created_at AS createdAt`;

function toCheckpoint(row: CheckpointRow): Checkpoint {
  return { ...row, best: row.best === 1 };
}

/**
 * A function that removes the checkpoints later than a step and returns them. If the best was among
 * them, the best that remains takes its place. To be run inside a transaction.
 */
export function createCheckpointPruning(
  db: Database.Database,
): (runId: string, step: number) => Checkpoint[] {
  const remove = db.prepare<[string, number], CheckpointRow>(
    `DELETE FROM checkpoints WHERE run_id = ? AND step > ? RETURNING ${columns}`,
  );
  const appointBest = createAppointment(db);
  return (runId, step) => {
    const removed = remove.all(runId, step).map(toCheckpoint);
    if (removed.some(({ best }) => best)) appointBest(runId);
    return removed;
  };
}

/** A function that marks the best of a run's checkpoints, none of which is marked. */
function createAppointment(db: Database.Database): (runId: string) => void {
  const appoint = db.prepare<{ runId: string }>(`UPDATE checkpoints SET best = 1
    WHERE run_id = @runId AND step = (SELECT step FROM checkpoints
      WHERE run_id = @runId AND validation_loss IS NOT NULL ORDER BY validation_loss, step LIMIT 1)`);
  return (runId) => void appoint.run({ runId });
}

export function createCheckpointStore({
  db,
  read,
  write,
  writeDurably,
}: Connection): CheckpointStore {
  const dethrone = db.prepare<[string]>(
    'UPDATE checkpoints SET best = 0 WHERE run_id = ? AND best = 1',
  );
  const insert = db.prepare<CheckpointRow, CheckpointRow>(`INSERT OR REPLACE INTO checkpoints
    (run_id, step, folder, bytes, validation_loss, best, created_at)
    VALUES (@runId, @step, @folder, @bytes, @validationLoss, @best, @createdAt)
    RETURNING ${columns}`);
  const select = `SELECT ${columns} FROM checkpoints WHERE run_id = ?`;
  const list = db.prepare<[string], CheckpointRow>(`${select} ORDER BY step`);
  const last = db.prepare<[string], CheckpointRow>(`${select} ORDER BY step DESC LIMIT 1`);
  const best = db.prepare<[string], CheckpointRow>(`${select} AND best = 1`);
  const remove = db.prepare<[string, number], { best: number }>(
    'DELETE FROM checkpoints WHERE run_id = ? AND step = ? RETURNING best',
  );
  const appointBest = createAppointment(db);
  const orNull = (row: CheckpointRow | undefined) => (row === undefined ? null : toCheckpoint(row));

  return {
    add: (checkpoint) =>
      writeDurably(() => {
        if (checkpoint.best) dethrone.run(checkpoint.runId);
        try {
          const row = insert.get({
            ...checkpoint,
            best: checkpoint.best ? 1 : 0,
            createdAt: new Date().toISOString(),
          });
          return toCheckpoint(row as CheckpointRow);
        } catch (error) {
          if (!isForeignKeyViolation(error)) throw error;
          throw new SwitchyardError('not-found', `There is no run "${checkpoint.runId}".`, {
            cause: error,
          });
        }
      }),
    list: (runId) => read(() => list.all(runId).map(toCheckpoint)),
    last: (runId) => read(() => orNull(last.get(runId))),
    best: (runId) => read(() => orNull(best.get(runId))),
    remove: (runId, step) =>
      write(() => {
        if (remove.get(runId, step)?.best === 1) appointBest(runId);
      }),
  };
}
