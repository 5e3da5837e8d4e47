/** Tokens to text, all at once or as they come, from a table of the bytes of each token. */
import { SwitchyardError } from '../contract/errors.ts';

/** The half of a tokenizer that needs no library. */
export interface TokenDecoder {
  /** Entries: tokens are 0 … vocabulary - 1. A small text may not fill the N of `bpe:N`. */
  readonly vocabulary: number;
  /** Bytes that are not UTF-8 (a cut character) become U+FFFD. */
  decode(tokens: ArrayLike<number>): string;
  /** The bytes of one token; not to be changed. */
  bytes(token: number): Uint8Array;
  /** A decoder for tokens that arrive one by one. */
  stream(): StreamingDecoder;
}

export interface StreamingDecoder {
  /** The characters that this token completes; empty while one is only half there. */
  push(token: number): string;
  /** What is left: empty, or U+FFFD for a character that was never completed. */
  end(): string;
}

/**
 * @param table the bytes of every token
 * @param name of the tokenizer, for messages
 */
export function createDecoder(table: readonly Uint8Array[], name: string): TokenDecoder {
  const bytes = (token: number): Uint8Array => {
    const found: Uint8Array | undefined = table[token];
    if (found !== undefined) return found;
    throw new SwitchyardError(
      'invalid-argument',
      `There is no token ${token}: the vocabulary of ${name} has ${table.length} entries, from 0.`,
    );
  };
  return {
    vocabulary: table.length,
    decode: (tokens) => Buffer.concat(Array.from(tokens, bytes)).toString('utf8'),
    bytes,
    stream() {
      const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
      return {
        push: (token) => decoder.decode(bytes(token), { stream: true }),
        end: () => decoder.decode(),
      };
    },
  };
}
