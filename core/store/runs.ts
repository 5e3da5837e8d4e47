/** Queries of the `runs` table: the records. Who may run one is in runOwnership.ts. */
import type { RunConfig } from '../contract/config.ts';
import { SwitchyardError, type ErrorRecord } from '../contract/errors.ts';
import { isActive, type Run } from '../contract/records.ts';
import { completeConfig } from '../contract/resolveConfig.ts';
import type { Connection } from './connection.ts';
import { findByReference } from './findByReference.ts';
import { newRunId } from './ids.ts';
import { createRunOwnership, shownStatus, type RunOwnership } from './runOwnership.ts';
import { createRunSummary } from './runSummary.ts';
import { thisProcess } from './processes.ts';
import { isForeignKeyViolation } from './sqliteErrors.ts';

/** `id` is for callers that need it before the row exists; see `newRunId`. */
export type NewRun = Pick<
  Run,
  | 'name'
  | 'config'
  | 'datasetId'
  | 'backend'
  | 'parameters'
  | 'macs'
  | 'attentionMacs'
  | 'attentionFloats'
> & { id?: string };

export interface RunStore extends RunOwnership {
  /**
   * Adds a run, queued under this process: `start` it, or `finish` it as stopped. Names need not be
   * unique. Throws `not-found` if there is no such dataset.
   */
  create(run: NewRun): Run;
  /** Throws `not-found`. */
  get(id: string): Run;
  /**
   * By exact id, exact name, or unique beginning of an id (with or without `r-`).
   * Throws `not-found`, or `invalid-argument` with the ids if several fit.
   */
  find(reference: string): Run;
  /** Newest first. */
  list(): Run[];
  /** Records what the run's backend turned out to be. Throws `not-found`. */
  setDevice(id: string, device: string): Run;
  /**
   * Makes `millisecondsPerStep` the exact median of all recorded steps, in O(n log n). Every change
   * of status does this by itself; in between, `metrics.append` does it whenever the run has grown by
   * a tenth. Throws `not-found`.
   */
  refreshMedian(id: string): Run;
  /** Changes what people call a run; what is left out stays. Throws `not-found`. */
  update(id: string, changes: RunChanges): Run;
  /**
   * Deletes a run and all its rows. Its files are the caller's to delete.
   * Throws `not-found`, or `conflict` while it is queued, running or paused.
   */
  remove(id: string): void;
}

/** What a person may change of a run at any time, whoever has it in hand. */
export type RunChanges = Partial<Pick<Run, 'name' | 'tags' | 'note'>>;

type RunRow = Omit<Run, 'config' | 'error' | 'tags'> & {
  config: string;
  error: string | null;
  tags: string;
};

const select = `SELECT id, name, tags, note, ${shownStatus} AS status, error, config, dataset_id AS datasetId, backend, device,
  created_at AS createdAt, started_at AS startedAt, ended_at AS endedAt, step, tokens, parameters,
  macs, attention_macs AS attentionMacs, attention_floats AS attentionFloats,
  last_train_loss AS lastTrainLoss, last_validation_loss AS lastValidationLoss,
  best_validation_loss AS bestValidationLoss, best_step AS bestStep,
  last_accuracy AS lastAccuracy, best_accuracy AS bestAccuracy,
  milliseconds_per_step AS millisecondsPerStep, peak_tensor_bytes AS peakTensorBytes,
  peak_rss_bytes AS peakRssBytes FROM runs`;

function toRun(row: RunRow): Run {
  return {
    ...row,
    tags: JSON.parse(row.tags) as string[],
    config: completeConfig(JSON.parse(row.config) as RunConfig),
    error: row.error === null ? null : (JSON.parse(row.error) as ErrorRecord),
  };
}

export function createRunStore(connection: Connection): RunStore {
  const { db, read, write } = connection;
  const insert = db.prepare(`INSERT INTO runs (id, name, status, config, dataset_id, backend,
    created_at, parameters, macs, attention_macs, attention_floats, owner_pid, owner_started)
    VALUES (@id, @name, 'queued', @config, @datasetId, @backend, @createdAt, @parameters, @macs,
    @attentionMacs, @attentionFloats, @pid, @started)`);
  const byId = db.prepare<[string], RunRow>(`${select} WHERE id = ?`);
  const byName = db.prepare<[string], RunRow>(
    `${select} WHERE name = ? ORDER BY created_at DESC, rowid DESC`,
  );
  const byIdPrefix = db.prepare<{ prefix: string }, RunRow>(
    `${select} WHERE substr(id, 1, length(@prefix)) = @prefix ORDER BY id`,
  );
  const all = db.prepare<[], RunRow>(`${select} ORDER BY created_at DESC, rowid DESC`);
  const setDevice = db.prepare<[string, string]>('UPDATE runs SET device = ? WHERE id = ?');
  const update = db.prepare<Pick<RunRow, 'id' | 'name' | 'tags' | 'note'>>(
    'UPDATE runs SET name = @name, tags = @tags, note = @note WHERE id = @id',
  );
  const remove = db.prepare<[string]>('DELETE FROM runs WHERE id = ?');
  const summary = createRunSummary(db);

  const howToList = () => '"switchyard runs" lists the runs there are.';
  const get = (id: string): Run => {
    const row = byId.get(id);
    if (row === undefined)
      throw new SwitchyardError('not-found', `There is no run "${id}". ${howToList()}`);
    return toRun(row);
  };

  return {
    ...createRunOwnership(connection, get, summary),
    create: (run) =>
      write(() => {
        const id = run.id ?? newRunId();
        try {
          insert.run({
            ...run,
            ...thisProcess(),
            id,
            config: JSON.stringify(run.config),
            createdAt: new Date().toISOString(),
          });
        } catch (error) {
          if (!isForeignKeyViolation(error)) throw error;
          throw new SwitchyardError('not-found', `There is no dataset "${run.datasetId}".`, {
            cause: error,
          });
        }
        return get(id);
      }),
    get: (id) => read(() => get(id)),
    find: (reference) =>
      read(() =>
        findByReference(
          {
            what: 'run',
            prefix: 'r',
            byId: (id) => {
              const row = byId.get(id);
              return row === undefined ? undefined : toRun(row);
            },
            byName: (name) => byName.all(name).map(toRun),
            byIdPrefix: (prefix) => byIdPrefix.all({ prefix }).map(toRun),
            howToList,
          },
          reference,
        ),
      ),
    list: () => read(() => all.all().map(toRun)),
    setDevice: (id, device) =>
      write(() => {
        setDevice.run(device, id);
        return get(id);
      }),
    refreshMedian: (id) =>
      write(() => {
        summary.refreshMedian(id);
        return get(id);
      }),
    update: (id, changes) =>
      write(() => {
        const { name, tags, note } = { ...get(id), ...changes };
        update.run({ id, name, tags: JSON.stringify(tags), note });
        return get(id);
      }),
    remove: (id) =>
      write(() => {
        const { name, status } = get(id);
        if (isActive(status))
          throw new SwitchyardError(
            'conflict',
            `Run ${id} ("${name}") is ${status} and cannot be deleted. Stop it first.`,
          );
        remove.run(id);
      }),
  };
}
