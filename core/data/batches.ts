/**
 * Training and validation batches from a token file. Stateless: every batch is a pure function of
 * its arguments, so resuming needs no generator state and repeats nothing.
 */
import { SwitchyardError } from '../contract/errors.ts';
import type { Dataset } from '../contract/records.ts';
import { stream, uniformInteger } from '../graph/random.ts';
import type { TokenFile } from './tokenFile.ts';

export interface Batch {
  /** [B, T], row-major. */
  tokens: Int32Array<ArrayBuffer>;
  /** [B, T]: for every token the one that follows it. */
  targets: Int32Array<ArrayBuffer>;
}

export interface ValidationBatch extends Batch {
  /** Rows that count, from the first; the rows after them repeat the last and must not be averaged. */
  rows: number;
}

/**
 * Rows at random offsets, drawn with replacement; every offset at which T + 1 tokens fit is equally
 * likely. A pure function of its arguments and the file.
 *
 * A row's random number depends on its place in the whole step, `microBatch * B + row`, so that one
 * batch of 16 and two micro-batches of 8 see the same sequences.
 * @param step counted from 0 or 1 as the caller likes, below 2^32
 * @param microBatch from 0, below `accumulate`
 * @throws SwitchyardError `invalid-data` when the file holds no sequence of T + 1 tokens
 */
export function trainingBatch(
  file: TokenFile,
  options: { batch: number; context: number; step: number; microBatch: number; seed: number },
): Batch {
  const { batch: B, context: T, step, microBatch, seed } = options;
  const offsets = file.length - T;
  if (offsets < 1) throw new SwitchyardError('invalid-data', tooShort(file.path, file.length, T));
  const rows = Array.from({ length: B }, (_, row) =>
    uniformInteger(stream.batches, microBatch * B + row, step, seed, offsets),
  );
  return readRows(file, rows, T);
}

/**
 * The whole text in order, as chunks of T + 1 tokens that do not overlap: chunk i starts at token
 * i (T + 1) and gives T predictions. Every chunk counts exactly once. The last
 * `length mod (T + 1)` tokens, at most T, do not fill a chunk and are left out.
 *
 * Every batch has B rows, as plans have static shapes. Where fewer chunks are left, `rows` says how
 * many count and the rest repeat the last one; average the per-row losses of the first `rows` rows
 * of every batch over all rows, and the mean is exact.
 * @param options.limit batches: when not 0 and fewer than the text gives, `limit * B` chunks spread
 *   evenly over the text, the first and always the same ones; 0 takes all
 * @throws SwitchyardError `invalid-data` when the file holds no sequence of T + 1 tokens
 */
export function* validationBatches(
  file: TokenFile,
  options: { batch: number; context: number; limit: number },
): Generator<ValidationBatch, void, undefined> {
  const { batch: B, context: T, limit } = options;
  const available = Math.floor(file.length / (T + 1));
  if (available < 1) throw new SwitchyardError('invalid-data', tooShort(file.path, file.length, T));
  const chunks = limit === 0 ? available : Math.min(available, limit * B);
  for (let first = 0; first < chunks; first += B) {
    const starts = Array.from({ length: B }, (_, row) => {
      const chunk = Math.min(first + row, chunks - 1);
      return Math.floor((chunk * available) / chunks) * (T + 1);
    });
    yield { ...readRows(file, starts, T), rows: Math.min(B, chunks - first) };
  }
}

/** Chunks that {@link validationBatches} averages over: each has T predictions. */
export function validationChunks(
  length: number,
  options: { batch: number; context: number; limit: number },
): number {
  const available = Math.floor(length / (options.context + 1));
  return options.limit === 0 ? available : Math.min(available, options.limit * options.batch);
}

/**
 * Refuses a dataset of which either part is shorter than one sequence, or whose training part is too
 * short for the streams that a model with memory reads.
 * @param streams rows that the training part is cut into, as `trainingRows` of core/train says; 0
 *   where training draws random rows
 * @throws SwitchyardError `invalid-data`
 */
export function requireSequences(
  dataset: Pick<Dataset, 'name' | 'trainTokens' | 'validationTokens'>,
  context: number,
  streams = 0,
): void {
  for (const [part, tokens, rows] of [
    ['training', dataset.trainTokens, streams],
    ['validation', dataset.validationTokens, 0],
  ] as const) {
    if (tokens <= context * Math.max(rows, 1)) {
      const what = `Dataset "${dataset.name}"`;
      throw new SwitchyardError('invalid-data', tooShort(what, tokens, context, rows, `${part} `));
    }
  }
}

/** The sentence for `tokens` that are too few: for one sequence, or for `streams` rows of one chunk each. */
export function tooShort(
  what: string,
  tokens: number,
  context: number,
  streams = 0,
  part = '',
): string {
  const has = `${what} has ${tokens} ${part}tokens`;
  if (streams === 0)
    return `${has}; one sequence of T=${context} needs at least T+1 = ${context + 1}. Choose a shorter context or a longer text.`;
  const needed = streams * context + 1;
  return `${has}; training with memory reads it as ${streams} streams (training.batch times training.accumulate), and one chunk of T=${context} of each needs at least ${streams}·T+1 = ${needed}. Choose a smaller batch, a shorter context, or a longer text.`;
}

/**
 * Rows of T tokens from the given places on, and their targets. Beyond the end of the file are zeros.
 */
export function readRows(file: TokenFile, starts: readonly number[], T: number): Batch {
  const B = starts.length;
  const tokens = new Int32Array(B * T); // [B, T]
  const targets = new Int32Array(B * T); // [B, T]
  const sequence = new Int32Array(T + 1);
  starts.forEach((start, row) => {
    const count = Math.max(0, Math.min(T + 1, file.length - start));
    if (count > 0) file.read(start, count, sequence);
    sequence.fill(0, count);
    tokens.set(sequence.subarray(0, T), row * T);
    targets.set(sequence.subarray(1), row * T);
  });
  return { tokens, targets };
}
