/** The beginnings of a dataset's parts as text. Reads no more than it shows. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Dataset, DatasetPreview } from '../contract/records.ts';
import { withFileErrors } from '../data/fileErrors.ts';
import { openTokenFile, tokenDtype, type TokenFile } from '../data/tokenFile.ts';
import { loadDecoder, type TokenDecoder } from '../data/tokenizer.ts';
import { requireDatasetFiles } from './datasetFiles.ts';

/**
 * @param folder the dataset's
 * @param characters Unicode characters of each part; fewer where the part is shorter
 * @throws SwitchyardError `invalid-data` when files of the dataset are missing or damaged
 */
export function previewDataset(
  folder: string,
  dataset: Dataset,
  characters: number,
): DatasetPreview {
  requireDatasetFiles(folder, dataset);
  const json = join(folder, 'tokenizer.json');
  const text = withFileErrors('read', json, () => readFileSync(json, 'utf8'));
  const decoder = loadDecoder(text, json);
  const dtype = tokenDtype(dataset.vocabulary);
  const show = (name: string, tokens: number): string => {
    const file = openTokenFile(join(folder, name), dtype, tokens);
    try {
      return beginning(file, decoder, characters);
    } finally {
      file.close();
    }
  };
  return {
    train: show('train.tokens', dataset.trainTokens),
    validation: show('validation.tokens', dataset.validationTokens),
  };
}

/** Tokens that are read at a time. */
const blockTokens = 4096;

/** The first `characters` of a token file, by code points: none is ever cut in half. */
function beginning(file: TokenFile, decoder: TokenDecoder, characters: number): string {
  const stream = decoder.stream();
  const shown: string[] = [];
  const block = new Int32Array(blockTokens);
  for (let start = 0; start < file.length && shown.length < characters; start += blockTokens) {
    const count = Math.min(blockTokens, file.length - start);
    file.read(start, count, block);
    for (let i = 0; i < count && shown.length < characters; i++)
      shown.push(...stream.push(block[i]));
  }
  if (shown.length < characters) shown.push(...stream.end());
  return shown.slice(0, characters).join('');
}
