import { readdir, rm } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { fields } from '../contract/config.ts';
import { SwitchyardError } from '../contract/errors.ts';
import type { AbortSignal, Input } from '../contract/protocol.ts';
import type { Dataset } from '../contract/records.ts';
import { datasetDamage } from '../jobs/datasetFiles.ts';
import type { DatasetFacts, ImporterResult, ImporterTask } from '../jobs/messages.ts';
import { newDatasetId } from '../store/ids.ts';
import { isAlive } from '../store/processes.ts';
import type { Context } from './context.ts';
import { removeUpload, uploadedFile } from './uploads.ts';

interface Text {
  path: string;
  /** What is recorded as its source, where that is not its path. */
  source?: string;
  /** What its dataset is called unless somebody says otherwise; by default as the file. */
  stem?: string;
}

/**
 * Imports a text of this machine or an uploaded one, or returns the earlier import of the same bytes
 * in the same form. An upload is deleted however that ends.
 */
export async function importDataset(
  context: Context,
  input: Input<'datasets.import'>,
  signal?: AbortSignal,
): Promise<Dataset> {
  const { path, upload } = input;
  if ((path === undefined) === (upload === undefined))
    throw new SwitchyardError(
      'invalid-argument',
      `datasets.import was given ${path === undefined ? 'neither path nor upload' : 'both path and upload'}, but needs exactly one of them.`,
    );
  if (upload === undefined)
    return importNoisily(context, { path: resolve(path ?? '') }, input, signal);
  const file = await uploadedFile(context.directory, upload);
  try {
    return await importNoisily(context, { path: file, source: basename(file) }, input, signal);
  } finally {
    await removeUpload(context.directory, upload);
  }
}

/** Imports and tells everybody, of its end in any case. */
export async function importNoisily(
  context: Context,
  text: Text,
  input: Input<'datasets.import'>,
  signal?: AbortSignal,
): Promise<Dataset> {
  const { bus } = context;
  try {
    const { dataset, changed } = await importOnce(context, text, input, signal);
    if (changed) bus.emit({ type: 'dataset-changed', dataset });
    return dataset;
  } finally {
    bus.emit({ type: 'import-ended', path: text.path });
  }
}

/** `changed` is whether there is a new dataset, or files of a known one came back. */
async function importOnce(
  context: Context,
  text: Text,
  input: Input<'datasets.import'>,
  signal?: AbortSignal,
): Promise<{ dataset: Dataset; changed: boolean }> {
  const { store } = context;
  const tokenizer = input.tokenizer ?? fields.data.tokenizer.default;
  const validationShare = input.validationShare ?? fields.data.validationShare.default;
  if (input.name !== undefined) requireFreeName(context, input.name);
  // What killed processes left; a pid that another program has by now only delays this.
  await removeUnfinished(context.directory.datasets, (folder) => {
    const pid = Number(folder.slice(folder.lastIndexOf('-') + 1));
    return !isAlive({ pid, started: null });
  });

  const known = store.datasets
    .list()
    .filter(
      (dataset) => dataset.tokenizer === tokenizer && dataset.validationShare === validationShare,
    )
    .map(({ id, sourceBytes, sourceSha256 }) => ({
      id,
      bytes: sourceBytes,
      sha256: sourceSha256,
    }));
  const { stem, ...file } = text;
  const request = { ...file, tokenizer, validationShare };
  const result = await runImport(context, { ...request, id: newDatasetId(), known }, signal);
  if (result.kind === 'imported') return addDataset(context, result.facts, input.name, stem);
  const existing = store.datasets.get(result.id);
  const damaged = datasetDamage(context.directory.dataset(existing.id), existing) !== null;
  if (damaged) await restoreFiles(context, existing, file, signal);
  return { dataset: existing, changed: damaged };
}

/** An explicit name is checked before the work, not only after it. */
function requireFreeName({ store }: Context, name: string): void {
  const taken = store.datasets.list().find((dataset) => dataset.name === name);
  if (taken === undefined) return;
  throw new SwitchyardError(
    'conflict',
    `There is already a dataset named "${name}" (${taken.id}). Choose another name.`,
  );
}

async function runImport(
  { directory, store, jobs, bus }: Context,
  task: Omit<ImporterTask, 'datasetsFolder'>,
  signal?: AbortSignal,
): Promise<ImporterResult> {
  const datasetsFolder = directory.datasets;
  const isNew = store.datasets.list().every(({ id }) => id !== task.id);
  try {
    return await jobs.run(
      'importer',
      { ...task, datasetsFolder },
      {
        signal,
        onProgress: ({ phase, done, total }) =>
          bus.emit({ type: 'import-progress', path: task.path, stage: phase, done, total }),
      },
    );
  } catch (error) {
    // A thread that was ended from outside could not tidy up after itself.
    if (error instanceof SwitchyardError && error.code === 'interrupted') {
      await removeUnfinished(datasetsFolder, (folder) => folder.includes(task.id));
      // It may have been ended right after its folder got its name.
      if (isNew) await rm(directory.dataset(task.id), { recursive: true, force: true });
    }
    throw error;
  }
}

/** Removes those unfinished imports; `importText` names their folders `.importing-<id>-…-<process>`. */
async function removeUnfinished(
  datasetsFolder: string,
  isOver: (folder: string) => boolean,
): Promise<void> {
  const names = await readdir(datasetsFolder);
  for (const name of names.filter((entry) => entry.startsWith('.importing-') && isOver(entry)))
    await rm(join(datasetsFolder, name), { recursive: true, force: true });
}

/** Records what was imported; if the same was imported meanwhile by another call, that one is returned. */
async function addDataset(
  { store, directory }: Context,
  facts: DatasetFacts,
  name: string | undefined,
  stem: string | undefined,
): Promise<{ dataset: Dataset; changed: boolean }> {
  const { sourceSha256, tokenizer, validationShare } = facts;
  const discard = () => rm(directory.dataset(facts.id), { recursive: true, force: true });
  try {
    const dataset = store.transaction(
      () =>
        store.datasets.findIdentical(sourceSha256, tokenizer, validationShare) ??
        store.datasets.add({
          ...facts,
          name: name ?? freeName(store.datasets.list(), facts, stem),
        }),
    );
    const changed = dataset.id === facts.id;
    if (!changed) await discard();
    return { dataset, changed };
  } catch (error) {
    await discard();
    throw error;
  }
}

/** The file's name without its ending, or the given one, with a number if that is taken. */
function freeName(
  datasets: readonly Dataset[],
  { source, tokenizer }: DatasetFacts,
  stem = basename(source, extname(source)) || basename(source),
): string {
  const taken = new Set(datasets.map(({ name }) => name));
  const plain = tokenizer.startsWith('bpe:') ? `${stem}-${tokenizer.replace(':', '')}` : stem;
  for (let number = 1; ; number++) {
    const name = number === 1 ? plain : `${plain}-${number}`;
    if (!taken.has(name)) return name;
  }
}

/** Imports the same text again under the same id, because files of the dataset have gone. */
async function restoreFiles(
  context: Context,
  dataset: Dataset,
  text: Text,
  signal?: AbortSignal,
): Promise<void> {
  const { id, tokenizer, validationShare } = dataset;
  await rm(context.directory.dataset(id), { recursive: true, force: true });
  await runImport(context, { ...text, id, tokenizer, validationShare, known: [] }, signal);
  const damage = datasetDamage(context.directory.dataset(id), dataset);
  if (damage !== null)
    throw new SwitchyardError(
      'invalid-data',
      `Importing ${text.source ?? text.path} again did not give the files of dataset "${dataset.name}" back: ${damage}. Import it under another name.`,
    );
}
