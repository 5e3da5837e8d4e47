/**
 * Which process has a run in hand. Several cores may open the same data folder, so every change of
 * status looks at the owner and sets it in one transaction:
 *
 *   create ─► queued ──start──► running ──finish──► stopped | interrupted | failed | finished
 *                ▲              │  ▲  ▲                              │
 *                │            pause unpause                          │
 *                │              ▼  │  │                              │
 *                │             paused │                              │
 *                └─────enqueue────────┴─────────── claim ────────────┘
 *
 * `finish` ends paused runs as well. `recoverOrphans` takes queued, running and paused runs whose
 * process is gone to interrupted.
 */
import { SwitchyardError, type ErrorRecord } from '../contract/errors.ts';
import { isActive, type Run, type RunStatus } from '../contract/records.ts';
import type { Connection } from './connection.ts';
import { isAlive, sameProcess, thisProcess, type ProcessIdentity } from './processes.ts';
import type { RunSummary } from './runSummary.ts';

/** How a run can end. Exactly `failed` carries an error. */
export type RunEnd =
  { status: 'stopped' | 'interrupted' | 'finished' } | { status: 'failed'; error: ErrorRecord };

/** A run that was marked interrupted, and what it was before. */
export interface Recovered {
  run: Run;
  was: 'queued' | 'running' | 'paused';
}

/** A row's status as records have it: the table keeps a paused run as a running one. */
export const shownStatus = `CASE paused WHEN 1 THEN 'paused' ELSE status END`;

export interface RunOwnership {
  /**
   * Queues a run again, owned by this process. Throws `conflict` if it is active under a living
   * process, this one included, and `not-found`.
   */
  enqueue(id: string): Run;
  /** From queued under this process to running. Throws `conflict` in any other state, `not-found`. */
  start(id: string): Run;
  /** `enqueue` and `start` in one: for a run that need not wait. Throws what `enqueue` throws. */
  claim(id: string): Run;
  /** A run that this process has running pauses, or a paused one goes on. Throws `conflict`, `not-found`. */
  setPaused(id: string, paused: boolean): Run;
  /**
   * Ends a run that this process has queued, running or paused. Throws `conflict` if this process does not
   * have it (it was ended before, or never started), and `not-found`.
   */
  finish(id: string, end: RunEnd): Run;
  /** Marks active runs of processes that are gone as interrupted; returns those. */
  recoverOrphans(): Recovered[];
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
  const columns = `id, name, ${shownStatus} AS status, owner_pid AS pid, owner_started AS started`;
  const owned = db.prepare<[string], OwnedRow>(`SELECT ${columns} FROM runs WHERE id = ?`);
  const active = db.prepare<[], OwnedRow>(
    `SELECT ${columns} FROM runs WHERE status IN ('queued', 'running') ORDER BY created_at, rowid`,
  );
  const take =
    db.prepare(`UPDATE runs SET status = @status, paused = 0, error = NULL, ended_at = NULL,
    started_at = CASE @status WHEN 'running' THEN coalesce(started_at, @now) ELSE started_at END,
    owner_pid = @pid, owner_started = @started WHERE id = @id`);
  const pause = db.prepare<[number, string]>('UPDATE runs SET paused = ? WHERE id = ?');
  const release =
    db.prepare(`UPDATE runs SET status = @status, paused = 0, error = @error, ended_at = @now,
    owner_pid = NULL, owner_started = NULL WHERE id = @id`);

  /** The living process that has the run in hand, or null. */
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
    setPaused: (id, paused) =>
      write(() => {
        const row = rowOf(id);
        if (!isActive(row.status) || row.status === 'queued' || !heldHere(row))
          throw new SwitchyardError(
            'conflict',
            `Run ${id} ("${row.name}") is ${row.status}, not running in this process, and can be neither paused nor continued here.`,
          );
        pause.run(paused ? 1 : 0, id);
        return get(id);
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
          .map(({ id, status }) => ({
            run: end(id, 'interrupted', null),
            was: status as Recovered['was'], // as the query chose them
          })),
      ),
  };
}
