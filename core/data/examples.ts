/**
 * Batches of examples to classify, from a token file in which every example is its tokens followed by
 * one class token (see listops.ts). Stateless: every batch is a pure function of its arguments.
 */
import { SwitchyardError } from '../contract/errors.ts';
import { stream, uniformInteger } from '../graph/random.ts';
import { firstClassToken } from './listops.ts';
import type { TokenFile } from './tokenFile.ts';

export interface ExampleBatch {
  /** [B, T], row-major; each row an example, padded with token 0. */
  tokens: Int32Array<ArrayBuffer>;
  /** [B, 2]: 0 and the example's length, the sources that attention sees. */
  visible: Int32Array<ArrayBuffer>;
  /** [B]: where the example's last token is in `tokens`, b·T + length − 1. */
  last: Int32Array<ArrayBuffer>;
  /** [B]: the classes, 0 … 9. */
  targets: Int32Array<ArrayBuffer>;
}

export interface ValidationExamples extends ExampleBatch {
  /** Rows that count, from the first; the rows after them repeat the last and must not be averaged. */
  rows: number;
}

/** Where the examples of a token file are. */
export interface Examples {
  readonly count: number;
  /** Tokens of the longest, without its class token. */
  readonly longest: number;
  /** Of each example its first token, and past the last example the end of the file. */
  readonly starts: readonly number[];
}

/** Tokens that are read at a time. */
const blockTokens = 2 ** 16;

/**
 * Finds the examples by reading the file once.
 * @throws SwitchyardError `invalid-data` when the file is no list of examples
 */
export function indexExamples(file: TokenFile): Examples {
  const starts = [0];
  let longest = 0;
  const block = new Int32Array(Math.min(blockTokens, file.length));
  for (let first = 0; first < file.length; first += block.length) {
    const count = Math.min(block.length, file.length - first);
    file.read(first, count, block);
    for (let i = 0; i < count; i++) {
      if (block[i] < firstClassToken) continue;
      const length = first + i - starts[starts.length - 1];
      if (length === 0) throw damaged(file, `there is an example without tokens at ${first + i}`);
      longest = Math.max(longest, length);
      starts.push(first + i + 1);
    }
  }
  if (starts[starts.length - 1] !== file.length)
    throw damaged(file, 'its last example has no class');
  return { count: starts.length - 1, longest, starts };
}

/**
 * Random examples, drawn with replacement. A row's random number depends on its place in the whole
 * step, `microBatch * B + row`, as in `trainingBatch` of batches.ts.
 * @throws SwitchyardError `invalid-data` without examples, or when one is longer than T
 */
export function trainingExamples(
  file: TokenFile,
  examples: Examples,
  options: { batch: number; context: number; step: number; microBatch: number; seed: number },
): ExampleBatch {
  const { batch: B, context: T, step, microBatch, seed } = options;
  requireFitting(file, examples, T);
  const chosen = Array.from({ length: B }, (_, row) =>
    uniformInteger(stream.batches, microBatch * B + row, step, seed, examples.count),
  );
  return readExamples(file, examples, chosen, T);
}

/**
 * Every example once, in order, in batches of B rows. Where fewer are left, `rows` says how many count
 * and the rest repeat the last one.
 * @param options.limit batches: when not 0 and fewer than there are, `limit * B` examples spread
 *   evenly over the file, always the same ones; 0 takes all
 * @throws SwitchyardError `invalid-data` without examples, or when one is longer than T
 */
export function* validationExamples(
  file: TokenFile,
  examples: Examples,
  options: { batch: number; context: number; limit: number },
): Generator<ValidationExamples, void, undefined> {
  const { batch: B, context: T, limit } = options;
  requireFitting(file, examples, T);
  const count = limit === 0 ? examples.count : Math.min(examples.count, limit * B);
  for (let first = 0; first < count; first += B) {
    const chosen = Array.from({ length: B }, (_, row) =>
      Math.floor((Math.min(first + row, count - 1) * examples.count) / count),
    );
    yield { ...readExamples(file, examples, chosen, T), rows: Math.min(B, count - first) };
  }
}

function readExamples(
  file: TokenFile,
  { starts, longest }: Examples,
  chosen: readonly number[],
  T: number,
): ExampleBatch {
  const B = chosen.length;
  const tokens = new Int32Array(B * T); // [B, T]
  const visible = new Int32Array(B * 2); // [B, 2]
  const last = new Int32Array(B);
  const targets = new Int32Array(B);
  const example = new Int32Array(longest + 1);
  for (const [row, index] of chosen.entries()) {
    const length = starts[index + 1] - starts[index] - 1;
    file.read(starts[index], length + 1, example);
    tokens.set(example.subarray(0, length), row * T);
    visible[2 * row + 1] = length;
    last[row] = row * T + length - 1;
    targets[row] = example[length] - firstClassToken;
  }
  return { tokens, visible, last, targets };
}

function requireFitting(file: TokenFile, { count, longest }: Examples, context: number): void {
  if (count === 0) throw new SwitchyardError('invalid-data', `${file.path} has no examples.`);
  if (longest > context)
    throw new SwitchyardError('invalid-data', tooLong(file.path, longest, context));
}

/** That the longest example of `what` does not fit the context, and what would do. */
export function tooLong(what: string, longest: number, context: number): string {
  return `The longest example of ${what} has ${longest} tokens, but the context is ${context}: set model.context to at least ${longest}, or use shorter examples.`;
}

function damaged(file: TokenFile, what: string): SwitchyardError {
  return new SwitchyardError(
    'invalid-data',
    `${file.path} is no list of examples: ${what}. Import the examples again.`,
  );
}
