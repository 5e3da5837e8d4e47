/**
 * Which process has a run in hand. Several cores may open the same data folder, so every change of
 * status looks at the owner and sets it in one transaction:
 *
 *   create ─► queued ──start──► running ──finish──► stopped | interrupted | failed | finished
 *                ▲                 ▲                                 │
 *                └─────enqueue─────┴───────────── claim ─────────────┘
 *
 * `recoverOrphans` takes queued and running runs whose process is gone to interrupted.
 */
import { SwitchyardError, type ErrorRecord } from '../contract/errors.ts';
import type { Run, RunStatus } from '../contract/records.ts';
import type { Connection } from './connection.ts';
import { isAlive, sameProcess, thisProcess, type ProcessIdentity } from './processes.ts';
import type { RunSummary } from './runSummary.ts';

/** How a run can end. Exactly `failed` carries an error. */
export type RunEnd =
  { status: 'stopped' | 'interrupted' | 'finished' } | { status: 'failed'; error: ErrorRecord };

export interface RunOwnership {
  /**
   * Queues a run again, owned by this process. Throws `conflict` if it is queued or running under a
   * living process, this one included, and `not-found`.
   */
  enqueue(id: string): Run;
  /** From queued under this process to running. Throws `conflict` in any other state, `not-found`. */
  start(id: string): Run;
  /** `enqueue` and `start` in one: for a run that need not wait. Throws what `enqueue` throws. */
  claim(id: string): Run;
  /**
   * Ends a run that this process has queued or running. Throws `conflict` if this process does not
   * have it (it was ended before, or never started), and `not-found`.
   */
  finish(id: string, end: RunEnd): Run;
  /** Marks queued and running runs of processes that are gone as interrupted; returns those. */
  recoverOrphans(): Run[];
}

interface OwnedRow {
  id: string;
  name: string;
  status: RunStatus;
  pid: number | null;
  started: string | null;
}

export function createRunOwnership(
  { db, write, writeDurably }: Connection,
  get: (id: string) => Run,
  summary: RunSummary,
): RunOwnership {
  const columns = 'id, name, status, owner_pid AS pid, owner_started AS started';
  const owned = db.prepare<[string], OwnedRow>(`SELECT ${columns} FROM runs WHERE id = ?`);
  const active = db.prepare<[], OwnedRow>(
    `SELECT ${columns} FROM runs WHERE status IN ('queued', 'running') ORDER BY created_at, rowid`,
  );
  const take = db.prepare(`UPDATE runs SET status = @status, error = NULL, ended_at = NULL,
    started_at = CASE @status WHEN 'running' THEN coalesce(started_at, @now) ELSE started_at END,
    owner_pid = @pid, owner_started = @started WHERE id = @id`);
  const release = db.prepare(`UPDATE runs SET status = @status, error = @error, ended_at = @now,
    owner_pid = NULL, owner_started = NULL WHERE id = @id`);

  /** The living process that has the run queued or running, or null. */
  const holderOf = (row: OwnedRow): ProcessIdentity | null => {
    if (row.pid === null) return null;
    const owner = { pid: row.pid, started: row.started };
    return isAlive(owner) ? owner : null;
  };
  const rowOf = (id: string): OwnedRow => owned.get(get(id).id) as OwnedRow; // get: throws not-found
  const heldHere = (row: OwnedRow): boolean => {
    const holder = holderOf(row);
    return holder !== null && sameProcess(holder, thisProcess());
  };
  const set = (id: string, status: 'queued' | 'running'): Run => {
    take.run({ ...thisProcess(), id, status, now: new Date().toISOString() });
    return get(id);
  };
  const end = (id: string, status: RunStatus, error: ErrorRecord | null): Run => {
    release.run({
      id,
      status,
      error: error === null ? null : JSON.stringify(error),
      now: new Date().toISOString(),
    });
    summary.refreshMedian(id);
    return get(id);
  };
  const takeIdle = (id: string, status: 'queued' | 'running'): Run =>
    write(() => {
      const row = rowOf(id);
      const holder = holderOf(row);
      if (holder !== null)
        throw new SwitchyardError(
          'conflict',
          `Run ${id} ("${row.name}") is already ${row.status} ${
            sameProcess(holder, thisProcess()) ? 'here' : `in another process (pid ${holder.pid})`
          }. Wait until it ends, or stop it first.`,
        );
      return set(id, status);
    });

  return {
    enqueue: (id) => takeIdle(id, 'queued'),
    claim: (id) => takeIdle(id, 'running'),
    start: (id) =>
      write(() => {
        const row = rowOf(id);
        if (row.status !== 'queued' || !heldHere(row))
          throw new SwitchyardError(
            'conflict',
            `Run ${id} ("${row.name}") is ${row.status}, not queued by this process, and cannot be started. Queue it first.`,
          );
        return set(id, 'running');
      }),
    finish: (id, result) =>
      writeDurably(() => {
        const row = rowOf(id);
        if (!heldHere(row))
          throw new SwitchyardError(
            'conflict',
            `Run ${id} ("${row.name}") is ${row.status} and not in this process's hands, so it cannot be marked ${result.status}.`,
          );
        return end(id, result.status, result.status === 'failed' ? result.error : null);
      }),
    recoverOrphans: () =>
      write(() =>
        active
          .all()
          .filter((row) => holderOf(row) === null)
          .map(({ id }) => end(id, 'interrupted', null)),
      ),
  };
}
