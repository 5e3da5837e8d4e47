/**
 * A text file becomes a dataset folder: `train.tokens`, `validation.tokens`, `tokenizer.json` and
 * `dataset.json`. The folder appears whole or not at all. Nothing here knows the database.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { SwitchyardError } from '../contract/errors.ts';
import type { Dataset } from '../contract/records.ts';
import { syncFolder, writeFully, writeJsonAtomically, writeTextAtomically } from './atomicFile.ts';
import { fileError } from './fileErrors.ts';
import { encodeExamples, splitExamples } from './listopsLines.ts';
import { listopsTokenizer } from './listopsTokenizer.ts';
import { lineSearchBytes, splitDistance, wordCut } from './textCuts.ts';
import {
  checkText,
  openText,
  requireUnchanged,
  textBlocks,
  type TextSource,
} from './textSource.ts';
import { encodeTokens, tokenDtype } from './tokenFile.ts';
import {
  byteTokenizer,
  createBpeTokenizer,
  parseTokenizerSpec,
  type Tokenizer,
  type TokenizerSpec,
} from './tokenizer.ts';
import { trainBpe } from './trainBpe.ts';

/** What an import finds out; the caller adds the name and the time. */
export type DatasetFacts = Omit<Dataset, 'name' | 'createdAt'>;

export interface ImportProgress {
  /** In this order; `training` only for `bpe:N`, with one report and no inner progress. */
  phase: 'reading' | 'training' | 'encoding';
  /** Bytes of the source, out of `total`. */
  done: number;
  total: number;
}

export interface ImportOptions {
  path: string;
  /** What is recorded as the source; by default the absolute path. */
  source?: string;
  datasetsFolder: string;
  /** The new folder's name: letters, digits, `_` and `-`. */
  id: string;
  /** `byte`, `bpe:N` or `listops`. */
  tokenizer: string;
  /** Above 0, at most 0.5. */
  validationShare: number;
  onProgress?: (progress: ImportProgress) => void;
}

/** Of a dataset's folder until it is finished. It ends with the process, so that what a kill leaves can be told. */
const temporaryName = (id: string) => `.importing-${id}-${randomUUID().slice(0, 8)}-${process.pid}`;

/** More text hardly changes a vocabulary of at most 30,000 entries, but the trainer's memory. */
const bpeTrainingBytes = 64 * 2 ** 20;

/**
 * Imports a UTF-8 text. Its bytes are kept as they are: a byte-order mark is a character like any
 * other and line endings are not changed, so decoding the tokens gives back the file.
 *
 * The last `validationShare` of the bytes is for validation. The exact place is moved forward to
 * the next start of a character, and further to the next start of a line where one is within
 * 4 KiB, so that validation starts with something whole; the part may thus be a little smaller
 * than asked for. A byte-pair vocabulary is learned from the training part alone, from at most its
 * first 64 MiB.
 *
 * With the tokenizer `listops` every line is an example instead; see listopsLines.ts. The last
 * `validationShare` of the lines is for validation.
 *
 * Memory is bounded whatever the file's size. A file too short to train on is imported; see
 * `requireSequences`.
 * @throws SwitchyardError `not-found` (no such file), `invalid-data` (a folder, empty, not UTF-8,
 *   NUL bytes, no ListOps examples, changed meanwhile), `invalid-argument`, `conflict` (the id is taken), `disk-full`.
 *   Nothing is left behind.
 */
export async function importText(options: ImportOptions): Promise<DatasetFacts> {
  const size = parseTokenizerSpec(options.tokenizer);
  requireUsable(options);
  const source = await openText(resolve(options.path));
  const target = join(options.datasetsFolder, options.id);
  const temporary = join(options.datasetsFolder, temporaryName(options.id));
  const report = (phase: ImportProgress['phase'], done: number): void =>
    options.onProgress?.({ phase, done, total: source.bytes });
  try {
    const sourceSha256 = await checkText(source, (done) => report('reading', done));
    const split = await (options.tokenizer === 'listops' ? splitExamples : splitPosition)(
      source,
      options.validationShare,
    );
    await mkdir(temporary, { recursive: true });

    let tokenizer = options.tokenizer === 'listops' ? listopsTokenizer : byteTokenizer;
    if (size !== null) {
      report('training', 0);
      tokenizer = await learnTokenizer(source, split, size, temporary);
    }
    const encode = (name: string, start: number, end: number): Promise<number> =>
      writeTokens(source, { start, end }, tokenizer, join(temporary, name), (done) =>
        report('encoding', done),
      );
    const trainTokens = await encode('train.tokens', 0, split);
    const validationTokens = await encode('validation.tokens', split, source.bytes);
    await requireUnchanged(source);

    const facts: DatasetFacts = {
      id: options.id,
      source: options.source ?? source.path,
      sourceBytes: source.bytes,
      sourceSha256,
      tokenizer: options.tokenizer,
      vocabulary: tokenizer.vocabulary,
      validationShare: options.validationShare,
      trainTokens,
      validationTokens,
    };
    writeTextAtomically(join(temporary, 'tokenizer.json'), tokenizer.toJson());
    writeJsonAtomically(join(temporary, 'dataset.json'), {
      format: 1,
      ...facts,
      tokenDtype: tokenDtype(tokenizer.vocabulary),
      splitByte: split,
    });
    syncFolder(temporary);
    if (existsSync(target)) throw taken(target);
    await rename(temporary, target);
    syncFolder(options.datasetsFolder);
    return facts;
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw fileError(error, `import ${source.path} into`, target);
  } finally {
    await source.handle.close();
  }
}

function requireUsable({ id, validationShare, datasetsFolder }: ImportOptions): void {
  if (!/^[A-Za-z0-9_-]+$/.test(id)) {
    throw new SwitchyardError(
      'invalid-argument',
      `The dataset id is "${id}"; it may have only letters, digits, "_" and "-".`,
    );
  }
  if (!(validationShare > 0 && validationShare <= 0.5)) {
    throw new SwitchyardError(
      'invalid-argument',
      `The validation share is ${validationShare}; it must be above 0 and at most 0.5.`,
    );
  }
  const target = join(datasetsFolder, id);
  if (existsSync(target)) throw taken(target);
}

function taken(target: string): SwitchyardError {
  return new SwitchyardError(
    'conflict',
    `There already is a dataset in ${target}. Choose another id.`,
  );
}

/** The byte at which validation starts. */
async function splitPosition(source: TextSource, validationShare: number): Promise<number> {
  return goodSplit(source, source.bytes - Math.round(source.bytes * validationShare));
}

async function goodSplit(source: TextSource, position: number): Promise<number> {
  if (position <= 0 || position >= source.bytes) return position;
  // From the byte before: a newline there means that a line starts here.
  const window = Buffer.alloc(Math.min(lineSearchBytes + 4, source.bytes - position + 1));
  const { bytesRead } = await source.handle.read(window, 0, window.length, position - 1);
  return position + splitDistance(window.subarray(0, bytesRead));
}

/** A byte-pair tokenizer of `size` entries, learned from the source's first `split` bytes. */
async function learnTokenizer(
  source: TextSource,
  split: number,
  size: number,
  folder: string,
): Promise<Tokenizer> {
  const end = split <= bpeTrainingBytes ? split : await goodSplit(source, bpeTrainingBytes);
  const texts = join(folder, 'training-text.tmp');
  await mkdir(texts);
  const files: string[] = [];
  // Cut where no word is: the words to learn from are those of one file.
  for await (const block of textBlocks(source, { start: 0, end, blockBytes: 2 ** 21 }, wordCut)) {
    const path = join(texts, String(files.length));
    await withNewFile(path, (write) => write(block));
    files.push(path);
  }
  const model = await trainBpe(files, size, join(folder, 'trained.tmp'));
  await rm(texts, { recursive: true });
  return createBpeTokenizer(`bpe:${size}` satisfies TokenizerSpec, model);
}

/** Texts of this size, and this many at once, keep all cores busy in bounded memory. */
const encodeBlockBytes = 2 ** 16;
const encodeBlocks = 32;

/**
 * Encodes a byte range of the source into a token file.
 * @returns the tokens written
 */
async function writeTokens(
  source: TextSource,
  { start, end }: { start: number; end: number },
  tokenizer: Tokenizer,
  path: string,
  onBytes: (done: number) => void,
): Promise<number> {
  let tokens = 0;
  await withNewFile(path, async (write) => {
    if (tokenizer.spec === 'byte') {
      // The text is its own token file.
      const range = { start, end, blockBytes: 2 ** 20 };
      for await (const block of textBlocks(source, range, (bytes) => bytes.length)) {
        write(block);
        tokens += block.length;
        onBytes(start + tokens);
      }
      return;
    }
    const dtype = tokenDtype(tokenizer.vocabulary);
    if (tokenizer.spec === 'listops') {
      for await (const { tokens: encoded, done } of encodeExamples(source, { start, end })) {
        write(encodeTokens(encoded, dtype));
        tokens += encoded.length;
        onBytes(done);
      }
      return;
    }
    let done = start;
    let waiting: string[] = [];
    const flush = async (): Promise<void> => {
      for (const part of await tokenizer.encodeBatch(waiting)) {
        write(encodeTokens(part, dtype));
        tokens += part.length;
      }
      waiting = [];
      onBytes(done);
    };
    const range = { start, end, blockBytes: encodeBlockBytes };
    for await (const block of textBlocks(source, range, wordCut)) {
      waiting.push(block.toString('utf8'));
      done += block.length;
      if (waiting.length === encodeBlocks) await flush();
    }
    await flush();
  });
  return tokens;
}

/** Creates a file, fsyncs and closes it. Not atomic: its folder is. */
async function withNewFile(
  path: string,
  fill: (write: (bytes: Uint8Array) => void) => void | Promise<void>,
): Promise<void> {
  const descriptor = openSync(path, 'wx');
  try {
    await fill((bytes) => writeFully(descriptor, bytes));
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
