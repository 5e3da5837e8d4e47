/** What `train --data` names: a text file, or a dataset. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { PartialConfig } from '../../contract/config.ts';
import { SwitchyardError } from '../../contract/errors.ts';
import type { Client } from '../../contract/protocol.ts';
import { resolveConfig } from '../../contract/resolveConfig.ts';
import type { Dataset } from '../../contract/records.ts';
import { tokenizerOf } from './configSource.ts';
import type { Context } from './context.ts';
import { importFile } from './importing.ts';
import { oneLine } from './table.ts';

/** The dataset to train on: a file is imported as the configuration says, or reused if it was before. */
export async function findData(
  client: Client,
  context: Context,
  reference: string,
  config: PartialConfig,
): Promise<Dataset> {
  const path = resolve(reference);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile() === true) {
    const { validationShare } = resolveConfig(config).data;
    return importFile(client, context, { path, tokenizer: tokenizerOf(config), validationShare });
  }
  try {
    return await client.call('datasets.get', { dataset: reference });
  } catch (error) {
    if (!(error instanceof SwitchyardError) || error.code !== 'not-found') throw error;
    const names = (await client.call('datasets.list', {})).map(({ name }) => oneLine(name));
    const known = names.length === 0 ? 'there are none yet' : `known: ${names.join(', ')}`;
    const file = found?.isDirectory() === true ? `${path} is a folder` : `there is no file ${path}`;
    throw new SwitchyardError(
      'not-found',
      `--data "${reference}" is neither a text file (${file}) nor an imported dataset (${known}).`,
    );
  }
}
