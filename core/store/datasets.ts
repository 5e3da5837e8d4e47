/** Queries of the `datasets` table. Token files are elsewhere; only their description is here. */
import type { Dataset } from '../contract/records.ts';
import { SwitchyardError } from '../contract/errors.ts';
import type { Connection } from './connection.ts';
import { findByReference, shortList } from './findByReference.ts';
import { newDatasetId } from './ids.ts';
import { isUniqueViolation } from './sqliteErrors.ts';

/** `id` is for callers that need it before the row exists, to name a folder; see `newDatasetId`. */
export type NewDataset = Omit<Dataset, 'id' | 'createdAt'> & { id?: string };

export interface DatasetStore {
  /** Throws `conflict` if the name is taken. */
  add(dataset: NewDataset): Dataset;
  /** Throws `not-found`. */
  get(id: string): Dataset;
  /**
   * By exact id, exact name, or unique beginning of an id (with or without `d-`).
   * Throws `not-found`, or `invalid-argument` if several fit.
   */
  find(reference: string): Dataset;
  /** An earlier import of the same bytes with the same tokenizer and split, or null. */
  findIdentical(sourceSha256: string, tokenizer: string, validationShare: number): Dataset | null;
  /** Newest first. */
  list(): Dataset[];
  /** Throws `not-found`, or `conflict` if the name is taken. */
  rename(id: string, name: string): Dataset;
  /** Throws `conflict` that names them if there are runs that use it, and `not-found`. */
  requireUnused(id: string): void;
  /** Throws what `requireUnused` throws. Its files are the caller's to delete. */
  remove(id: string): void;
}

const select = `SELECT id, name, source, source_bytes AS sourceBytes, source_sha256 AS sourceSha256,
  tokenizer, vocabulary, validation_share AS validationShare, train_tokens AS trainTokens,
  validation_tokens AS validationTokens, created_at AS createdAt FROM datasets`;

export function createDatasetStore({ db, read, write }: Connection): DatasetStore {
  const insert = db.prepare<Dataset>(`INSERT INTO datasets (id, name, source, source_bytes,
    source_sha256, tokenizer, vocabulary, validation_share, train_tokens, validation_tokens, created_at)
    VALUES (@id, @name, @source, @sourceBytes, @sourceSha256, @tokenizer, @vocabulary,
    @validationShare, @trainTokens, @validationTokens, @createdAt)`);
  const byId = db.prepare<[string], Dataset>(`${select} WHERE id = ?`);
  const byName = db.prepare<[string], Dataset>(`${select} WHERE name = ?`);
  const byIdPrefix = db.prepare<{ prefix: string }, Dataset>(
    `${select} WHERE substr(id, 1, length(@prefix)) = @prefix ORDER BY id`,
  );
  const identical = db.prepare<[string, string, number], Dataset>(
    `${select} WHERE source_sha256 = ? AND tokenizer = ? AND validation_share = ? ORDER BY rowid LIMIT 1`,
  );
  const all = db.prepare<[], Dataset>(`${select} ORDER BY created_at DESC, rowid DESC`);
  const rename = db.prepare<[string, string]>('UPDATE datasets SET name = ? WHERE id = ?');
  const remove = db.prepare<[string]>('DELETE FROM datasets WHERE id = ?');
  const users = db.prepare<[string], { id: string; name: string }>(
    'SELECT id, name FROM runs WHERE dataset_id = ? ORDER BY created_at DESC, rowid DESC',
  );

  const howToList = (): string => {
    const names = all.all().map(({ name }) => `"${name}"`);
    return names.length === 0
      ? 'There are none yet: "switchyard import <file>" adds one.'
      : `There are: ${shortList(names)}.`;
  };
  const notFound = (id: string) =>
    new SwitchyardError('not-found', `There is no dataset "${id}". ${howToList()}`);
  const get = (id: string): Dataset => {
    const dataset = byId.get(id);
    if (dataset === undefined) throw notFound(id);
    return dataset;
  };

  const unlessTaken = (name: string, change: () => unknown): void => {
    try {
      change();
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new SwitchyardError(
        'conflict',
        `There is already a dataset named "${name}" (${byName.get(name)?.id}). Choose another name.`,
        { cause: error },
      );
    }
  };

  const requireUnused = (id: string): void => {
    const { name } = get(id);
    const runs = users.all(id).map((run) => `"${run.name}" (${run.id})`);
    if (runs.length === 0) return;
    const [use, those] =
      runs.length === 1 ? ['1 run uses', 'that'] : [`${runs.length} runs use`, 'those'];
    throw new SwitchyardError(
      'conflict',
      `Dataset "${name}" (${id}) cannot be deleted: ${use} it, ${shortList(runs)}. Delete ${those} first.`,
    );
  };

  return {
    add: (dataset) =>
      write(() => {
        const record: Dataset = {
          ...dataset,
          id: dataset.id ?? newDatasetId(),
          createdAt: new Date().toISOString(),
        };
        unlessTaken(record.name, () => insert.run(record));
        return get(record.id);
      }),
    get: (id) => read(() => get(id)),
    find: (reference) =>
      read(() =>
        findByReference(
          {
            what: 'dataset',
            prefix: 'd',
            byId: (id) => byId.get(id),
            byName: (name) => byName.all(name),
            byIdPrefix: (prefix) => byIdPrefix.all({ prefix }),
            howToList,
          },
          reference,
        ),
      ),
    findIdentical: (sha256, tokenizer, share) =>
      read(() => identical.get(sha256, tokenizer, share) ?? null),
    list: () => read(() => all.all()),
    rename: (id, name) =>
      write(() => {
        unlessTaken(name, () => rename.run(name, get(id).id));
        return get(id);
      }),
    requireUnused: (id) => read(() => requireUnused(id)),
    remove: (id) =>
      write(() => {
        requireUnused(id);
        remove.run(id);
      }),
  };
}
