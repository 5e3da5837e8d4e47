/** Importing a text, with its progress shown. */
import type { Client, Input } from '../../contract/protocol.ts';
import type { Dataset } from '../../contract/records.ts';
import type { Context } from './context.ts';
import * as format from '../../contract/format.ts';
import { oneLine } from './table.ts';

const stages = {
  reading: 'Reading',
  training: 'Training the tokenizer on',
  encoding: 'Encoding',
} as const;

/** Imports one file; the same content with the same tokenizer and split is reused. */
export async function importFile(
  client: Client,
  { out }: Context,
  input: Input<'datasets.import'>,
): Promise<Dataset> {
  const unsubscribe = client.subscribe((event) => {
    if (event.type !== 'import-progress') return;
    out.record(event);
    const share = event.total > 0 ? ` ${Math.floor((100 * event.done) / event.total)} %` : '';
    out.status(`${stages[event.stage]} ${event.path}${share}`);
  });
  try {
    return await client.call('datasets.import', input);
  } finally {
    unsubscribe();
    out.status('');
  }
}

/** A dataset in one line. */
export function describe(dataset: Dataset): string {
  const { name, id, trainTokens, validationTokens, tokenizer, vocabulary } = dataset;
  return (
    `${oneLine(name)} (${id})  ${format.count(trainTokens)} tokens for training, ` +
    `${format.count(validationTokens)} for validation, ${tokenizer}, vocabulary ${format.whole(vocabulary)}`
  );
}
