import { fields } from '../contract/config.ts';
import type { Dataset, DatasetPreview } from '../contract/records.ts';
import type { Input } from '../contract/protocol.ts';
import { previewDataset } from '../jobs/previewDataset.ts';
import { listopsFields, listopsOperators } from '../contract/listops.ts';
import {
  label,
  list,
  numberAbove,
  oneOf,
  optional,
  path,
  text,
  wholeNumber,
  type Check,
} from './arguments.ts';
import type { Context } from './context.ts';
import { generateListops } from './generateListops.ts';
import { handler } from './handlers.ts';
import { importDataset } from './importDataset.ts';
import { removeWithFolder } from './removal.ts';

const dataset = text(200);
const { min, max } = fields.data.validationShare;
/** Checked before anything is read or made. */
const validationShare = optional(numberAbove(min, max));

function listopsNumber(name: keyof typeof listopsFields): Check<number | undefined> {
  const { min, max } = listopsFields[name];
  return optional(wholeNumber(min, max));
}

export const datasetHandlers = (context: Context) => ({
  'datasets.import': handler(
    'datasets.import',
    {
      path: optional(path()),
      upload: optional(text(200)),
      name: optional(label(200)),
      tokenizer: optional(text(32)),
      validationShare,
    },
    (input, signal) => importDataset(context, input, signal),
  ),
  'datasets.generateListops': handler(
    'datasets.generateListops',
    {
      name: optional(label(200)),
      validationShare,
      examples: listopsNumber('examples'),
      depth: listopsNumber('depth'),
      operands: listopsNumber('operands'),
      minLength: listopsNumber('minLength'),
      maxLength: listopsNumber('maxLength'),
      operators: optional(list(oneOf(listopsOperators), 1, listopsOperators.length)),
      seed: listopsNumber('seed'),
    },
    (input, signal) => generateListops(context, input, signal),
  ),
  'datasets.list': handler('datasets.list', {}, () => context.store.datasets.list()),
  'datasets.get': handler('datasets.get', { dataset }, (input) =>
    context.store.datasets.find(input.dataset),
  ),
  'datasets.preview': handler(
    'datasets.preview',
    { dataset, characters: optional(wholeNumber(1, 100_000)) },
    (input) => preview(context, input),
  ),
  'datasets.rename': handler('datasets.rename', { dataset, name: label(200) }, (input) =>
    rename(context, input),
  ),
  'datasets.remove': handler('datasets.remove', { dataset }, async (input) => ({
    bytes: await remove(context, input.dataset),
  })),
});

function preview(
  { store, directory }: Context,
  { dataset: reference, characters = 2000 }: Input<'datasets.preview'>,
): DatasetPreview {
  const found = store.datasets.find(reference);
  return previewDataset(directory.dataset(found.id), found, characters);
}

function rename(
  { store, bus }: Context,
  { dataset: reference, name }: Input<'datasets.rename'>,
): Dataset {
  const renamed = store.datasets.rename(store.datasets.find(reference).id, name);
  bus.emit({ type: 'dataset-changed', dataset: renamed });
  return renamed;
}

/** Deletes the rows and the files of a dataset that no run uses; returns the bytes freed. */
async function remove({ store, bus, directory }: Context, reference: string): Promise<number> {
  const { id } = store.datasets.find(reference);
  store.datasets.requireUnused(id);
  const bytes = await removeWithFolder(store, directory.datasets, id, () =>
    store.datasets.remove(id),
  );
  bus.emit({ type: 'dataset-removed', datasetId: id });
  return bytes;
}
