/** Whether a dataset's files are all there. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { SwitchyardError } from '../contract/errors.ts';
import type { Dataset } from '../contract/records.ts';
import { tokenBytes, tokenDtype } from '../data/tokenFile.ts';

/** What is wrong with the dataset's folder, or null. Looks at sizes, reads nothing. */
export function datasetDamage(folder: string, dataset: Dataset): string | null {
  const width = tokenBytes[tokenDtype(dataset.vocabulary)];
  const wanted: [string, number | null][] = [
    ['train.tokens', dataset.trainTokens * width],
    ['validation.tokens', dataset.validationTokens * width],
    ['tokenizer.json', null],
    ['dataset.json', null],
  ];
  for (const [name, bytes] of wanted) {
    const found = statSync(join(folder, name), { throwIfNoEntry: false });
    if (found === undefined) return `${name} is missing`;
    if (bytes !== null && found.size !== bytes)
      return `${name} has ${found.size} bytes instead of ${bytes}`;
  }
  return null;
}

/** @throws SwitchyardError `invalid-data` that says how to bring the files back */
export function requireDatasetFiles(folder: string, dataset: Dataset): void {
  const damage = datasetDamage(folder, dataset);
  if (damage === null) return;
  throw new SwitchyardError(
    'invalid-data',
    `The files of dataset "${dataset.name}" in ${folder} are not complete: ${damage}. Importing ${dataset.source} again with tokenizer ${dataset.tokenizer} brings them back.`,
  );
}
