import { readdir, rm } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { fields } from '../contract/config.ts';
import { SwitchyardError } from '../contract/errors.ts';
import type { Input } from '../contract/protocol.ts';
import type { Dataset } from '../contract/records.ts';
import { datasetDamage } from '../jobs/datasetFiles.ts';
import type { DatasetFacts, ImporterResult, ImporterTask } from '../jobs/messages.ts';
import { newDatasetId } from '../store/ids.ts';
import { isAlive } from '../store/processes.ts';
import { number, optional, text } from './arguments.ts';
import type { Context } from './context.ts';
import { handler } from './handlers.ts';

export const datasetHandlers = (context: Context) => ({
  'datasets.import': handler(
    'datasets.import',
    {
      path: text(),
      name: optional(text(200)),
      tokenizer: optional(text(32)),
      validationShare: optional(number(0, 1)),
    },
    (input) => importDataset(context, input),
  ),
  'datasets.list': handler('datasets.list', {}, () => context.store.datasets.list()),
  'datasets.get': handler('datasets.get', { dataset: text() }, ({ dataset }) =>
    context.store.datasets.find(dataset),
  ),
});

/** Imports a text, or returns the earlier import of the same bytes in the same form. */
async function importDataset(context: Context, input: Input<'datasets.import'>): Promise<Dataset> {
  const { store } = context;
  const path = resolve(input.path);
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
  const request = { path, tokenizer, validationShare };
  const result = await runImport(context, { ...request, id: newDatasetId(), known });
  if (result.kind === 'imported') return addDataset(context, result.facts, input.name);
  const existing = store.datasets.get(result.id);
  if (datasetDamage(context.directory.dataset(existing.id), existing) !== null)
    await restoreFiles(context, existing, path);
  return existing;
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
  { directory, jobs, bus }: Context,
  task: {
    path: string;
    id: string;
    tokenizer: string;
    validationShare: number;
    known: ImporterTask['known'];
  },
): Promise<ImporterResult> {
  const datasetsFolder = directory.datasets;
  try {
    return await jobs.run('importer', { ...task, datasetsFolder }, ({ phase, done, total }) =>
      bus.emit({ type: 'import-progress', path: task.path, stage: phase, done, total }),
    );
  } catch (error) {
    // A thread that was ended from outside could not tidy up after itself.
    if (error instanceof SwitchyardError && error.code === 'interrupted')
      await removeUnfinished(datasetsFolder, (folder) => folder.includes(task.id));
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
): Promise<Dataset> {
  const { sourceSha256, tokenizer, validationShare } = facts;
  const discard = () => rm(directory.dataset(facts.id), { recursive: true, force: true });
  try {
    const dataset = store.transaction(
      () =>
        store.datasets.findIdentical(sourceSha256, tokenizer, validationShare) ??
        store.datasets.add({ ...facts, name: name ?? freeName(store.datasets.list(), facts) }),
    );
    if (dataset.id !== facts.id) await discard();
    return dataset;
  } catch (error) {
    await discard();
    throw error;
  }
}

/** The file's name without its ending, with a number if that is taken. */
function freeName(datasets: readonly Dataset[], { source, tokenizer }: DatasetFacts): string {
  const taken = new Set(datasets.map(({ name }) => name));
  const file = basename(source, extname(source)) || basename(source);
  const plain = tokenizer === 'byte' ? file : `${file}-${tokenizer.replace(':', '')}`;
  for (let number = 1; ; number++) {
    const name = number === 1 ? plain : `${plain}-${number}`;
    if (!taken.has(name)) return name;
  }
}

/** Imports the same text again under the same id, because files of the dataset have gone. */
async function restoreFiles(context: Context, dataset: Dataset, path: string): Promise<void> {
  const { id, tokenizer, validationShare } = dataset;
  await rm(context.directory.dataset(id), { recursive: true, force: true });
  await runImport(context, { path, id, tokenizer, validationShare, known: [] });
  const damage = datasetDamage(context.directory.dataset(id), dataset);
  if (damage !== null)
    throw new SwitchyardError(
      'invalid-data',
      `Importing ${path} again did not give the files of dataset "${dataset.name}" back: ${damage}. Import it under another name.`,
    );
}
