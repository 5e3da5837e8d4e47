/**
 * A text as streams, for models with memory: it is cut into contiguous rows that are read side by
 * side, chunk by chunk, so that every row of a chunk goes on where it ended in the chunk before.
 * Stateless like batches.ts: only the memory itself has to be kept to resume.
 */
import { SwitchyardError } from '../contract/errors.ts';
import { readRows, tooShort, type Batch } from './batches.ts';
import type { TokenFile } from './tokenFile.ts';

export interface StreamBatch extends Batch {
  /** Chunks of T tokens that the rows have had before this one; 0 where the streams start. */
  chunk: number;
}

export interface ValidationStreamBatch extends StreamBatch {
  /** [B]: predictions of each row that count, from its first; those after them must not be averaged. */
  counted: Int32Array<ArrayBuffer>;
}

/**
 * One chunk of the training streams. The file is cut into B · accumulate rows of equal length, which
 * leaves out fewer tokens at its end than there are rows; row microBatch · B + b is row b of that
 * micro-batch, so that one batch of 16 and two micro-batches of 8 see the same sequences. Rows have
 * whole chunks only; after the last one the streams start anew. A pure function of its arguments and
 * the file.
 * @param step counted from 1
 * @param microBatch from 0, below `accumulate`
 * @throws SwitchyardError `invalid-data` when a row would not hold one chunk
 */
export function trainingStreams(
  file: TokenFile,
  options: { batch: number; accumulate: number; context: number; step: number; microBatch: number },
): StreamBatch {
  const { batch: B, accumulate, context: T, step, microBatch } = options;
  const rows = B * accumulate;
  const length = Math.floor((file.length - 1) / rows); // the last target is one token further
  const chunks = Math.floor(length / T);
  if (chunks < 1)
    throw new SwitchyardError('invalid-data', tooShort(file.path, file.length, T, rows));
  const chunk = (step - 1) % chunks;
  const starts = Array.from({ length: B }, (_, b) => (microBatch * B + b) * length + chunk * T);
  return { ...readRows(file, starts, T), chunk };
}

/**
 * The whole text as B rows that lie one after the other and differ in length by at most one; every
 * prediction of it counts exactly once. In the last chunk some rows end before others: what is beyond
 * the end of a row is in the batch but not `counted`, and beyond the text are zeros. The caller
 * carries the memory from chunk to chunk.
 * @param options.limit batches: when not 0 and fewer than there are, only the first `limit` chunks of
 *   every row; 0 takes all
 * @throws SwitchyardError `invalid-data` when the file holds no sequence of T + 1 tokens
 */
export function* validationStreams(
  file: TokenFile,
  options: { batch: number; context: number; limit: number },
): Generator<ValidationStreamBatch, void, undefined> {
  const { batch: B, context: T, limit } = options;
  if (file.length <= T)
    throw new SwitchyardError('invalid-data', tooShort(file.path, file.length, T));
  const predictions = file.length - 1;
  const firstOf = (row: number): number => Math.floor((row * predictions) / B);
  const available = Math.ceil(Math.ceil(predictions / B) / T);
  const chunks = limit === 0 ? available : Math.min(limit, available);
  for (let chunk = 0; chunk < chunks; chunk++) {
    const starts = Array.from({ length: B }, (_, row) => firstOf(row) + chunk * T);
    const counted = starts.map((start, row) => Math.max(0, Math.min(T, firstOf(row + 1) - start)));
    yield { ...readRows(file, starts, T), counted: Int32Array.from(counted), chunk };
  }
}
