/**
 * A flat file of tokens: little-endian, no header, one width for all. It is read by position and
 * never loaded, so it may be larger than memory and than 2^31 bytes.
 */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { SwitchyardError } from '../contract/errors.ts';
import { withFileErrors } from './fileErrors.ts';
import { readFully } from './readFully.ts';

export type TokenDtype = 'u8' | 'u16' | 'u32';

/** Bytes of one token. */
export const tokenBytes: Record<TokenDtype, number> = { u8: 1, u16: 2, u32: 4 };

/** The narrowest width that holds every token of a vocabulary. */
export function tokenDtype(vocabulary: number): TokenDtype {
  return vocabulary <= 2 ** 8 ? 'u8' : vocabulary <= 2 ** 16 ? 'u16' : 'u32';
}

/** Tokens as the bytes of a token file, whatever the machine's byte order. */
export function encodeTokens(tokens: ArrayLike<number>, dtype: TokenDtype): Uint8Array {
  const width = tokenBytes[dtype];
  const bytes = new Uint8Array(tokens.length * width);
  for (let i = 0, at = 0; i < tokens.length; i++) {
    for (let shift = 0; shift < 8 * width; shift += 8) bytes[at++] = tokens[i] >>> shift;
  }
  return bytes;
}

export interface TokenFile {
  readonly path: string;
  /** Tokens in the file. */
  readonly length: number;
  /**
   * Copies tokens `start` … `start + count - 1` to `into` from `offset` on.
   * @throws SwitchyardError `invalid-argument` outside the file or `into`, `invalid-data` if the
   *   file became shorter since it was opened
   */
  read(start: number, count: number, into: Int32Array, offset?: number): void;
  close(): void;
}

/**
 * @param expected the dataset's recorded token count; any other length means a damaged file
 * @throws SwitchyardError `not-found`, or `invalid-data` when the length is not as recorded
 */
export function openTokenFile(path: string, dtype: TokenDtype, expected: number): TokenFile {
  const width = tokenBytes[dtype];
  const descriptor = withFileErrors('read', path, () => openSync(path, 'r'));
  const { size } = fstatSync(descriptor);
  if (size !== expected * width) {
    closeSync(descriptor);
    throw new SwitchyardError(
      'invalid-data',
      `${path} has ${size} bytes, but its dataset was recorded with ${expected} tokens of ${width} ${width === 1 ? 'byte' : 'bytes'}, which is ${expected * width}. The file is ${size < expected * width ? 'truncated' : 'not the one that was imported'}; import the text again.`,
    );
  }
  let scratch = new Uint8Array(0);
  return {
    path,
    length: expected,
    read(start, count, into, offset = 0) {
      if (!isRange(start, count, expected) || !isRange(offset, count, into.length)) {
        throw new SwitchyardError(
          'invalid-argument',
          `Cannot read ${count} tokens from token ${start} of ${path} to place ${offset}: the file has ${expected} and the destination ${into.length}.`,
        );
      }
      if (scratch.length < count * width) scratch = new Uint8Array(count * width);
      const bytes = scratch.subarray(0, count * width);
      if (readFully(descriptor, bytes, start * width) < bytes.length) {
        throw new SwitchyardError(
          'invalid-data',
          `${path} ended before token ${start + count}: it became shorter than the ${expected} tokens it had. Import the text again.`,
        );
      }
      decodeTokens(bytes, width, into, offset);
    },
    close: () => closeSync(descriptor),
  };
}

function isRange(start: number, count: number, length: number): boolean {
  return (
    Number.isSafeInteger(start) &&
    Number.isSafeInteger(count) &&
    start >= 0 &&
    count >= 0 &&
    start + count <= length
  );
}

function decodeTokens(bytes: Uint8Array, width: number, into: Int32Array, offset: number): void {
  const count = bytes.length / width;
  for (let i = 0, at = 0; i < count; i++) {
    let token = 0;
    for (let shift = 0; shift < 8 * width; shift += 8) token |= bytes[at++] << shift;
    into[offset + i] = token;
  }
}
