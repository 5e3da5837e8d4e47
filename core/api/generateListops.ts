import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SwitchyardError } from '../contract/errors.ts';
import * as format from '../contract/format.ts';
import { listopsOperators, listopsOptions, type ListopsOptions } from '../contract/listops.ts';
import type { AbortSignal, Input } from '../contract/protocol.ts';
import type { Dataset } from '../contract/records.ts';
import type { Context } from './context.ts';
import { importNoisily } from './importDataset.ts';
import { newUploadId, removeUpload } from './uploads.ts';

/**
 * Makes ListOps examples and imports them, or returns the earlier import of the same ones. Their file
 * lies among the uploads meanwhile.
 */
export async function generateListops(
  context: Context,
  { name, validationShare, ...given }: Input<'datasets.generateListops'>,
  signal?: AbortSignal,
): Promise<Dataset> {
  requireDistinct(given.operators ?? []);
  const options = listopsOptions(given);
  const upload = newUploadId();
  const folder = join(context.directory.uploads, upload);
  const path = join(folder, 'listops.tsv');
  try {
    await mkdir(folder);
    await context.jobs.run('generator', { path, options }, { signal });
    const input = {
      tokenizer: 'listops',
      ...(name === undefined ? {} : { name }),
      ...(validationShare === undefined ? {} : { validationShare }),
    };
    const text = { path, source: sourceOf(options), stem: 'listops' };
    return await importNoisily(context, text, input, signal);
  } finally {
    await removeUpload(context.directory, upload);
  }
}

function requireDistinct(operators: readonly string[]): void {
  const twice = operators.find((operator, index) => operators.indexOf(operator) !== index);
  if (twice === undefined) return;
  throw new SwitchyardError(
    'invalid-argument',
    `datasets.generateListops: operators has "${twice}" more than once, but each may be given once.`,
  );
}

/** What is recorded as the dataset's source: all that it takes to make it again. */
function sourceOf(options: ListopsOptions): string {
  const { examples, depth, operands, minLength, maxLength, operators, seed } = options;
  const chosen = operators.length === listopsOperators.length ? '' : `, ${operators.join(' ')}`;
  return `ListOps (${format.plural(examples, 'example')}, depth ${depth}, ${operands} operands, length ${minLength} to ${maxLength}${chosen}, seed ${seed})`;
}
