/**
 * Text to tokens and back, without loss: both tokenizers are byte-level, so that every text
 * round-trips exactly. No special tokens, no normalisation, no prefix space.
 */
import { SwitchyardError } from '../contract/errors.ts';
import { entryBytes } from './byteLevel.ts';
import {
  byteModel,
  isByteModel,
  parseTokenizerJson,
  tokenizerJson,
  type ByteLevelModel,
} from './tokenizerJson.ts';
import { cacheWords } from './wordCache.ts';

export type TokenizerSpec = 'byte' | `bpe:${number}`;

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

export interface Tokenizer extends TokenDecoder {
  /** As in the configuration. For `bpe:N`, N is what was asked for; see `vocabulary`. */
  readonly spec: TokenizerSpec;
  /** Lone surrogates in `text` become U+FFFD, as UTF-8 cannot hold them. */
  encode(text: string): Promise<Uint32Array<ArrayBuffer>>;
  /** Encodes each text by itself, in parallel where the tokenizer can. */
  encodeBatch(texts: readonly string[]): Promise<Uint32Array<ArrayBuffer>[]>;
  /** The text of its `tokenizer.json`, in Hugging Face's format. */
  toJson(): string;
}

export interface StreamingDecoder {
  /** The characters that this token completes; empty while one is only half there. */
  push(token: number): string;
  /** What is left: empty, or U+FFFD for a character that was never completed. */
  end(): string;
}

/** Smallest N of `bpe:N`: every byte needs an entry, or texts would not round-trip. */
export const smallestBpeVocabulary = 256;
/** Largest N of `bpe:N`: the trainer of the `tokenizers` package stops there. */
export const largestBpeVocabulary = 30_000;

/**
 * Reads a tokenizer's name from the configuration.
 * @returns the N of `bpe:N`, or null for `byte`
 * @throws SwitchyardError `invalid-argument`
 */
export function parseTokenizerSpec(spec: string): number | null {
  if (spec === 'byte') return null;
  const match = /^bpe:([1-9][0-9]{0,8})$/.exec(spec);
  if (match === null) {
    throw new SwitchyardError(
      'invalid-argument',
      `The tokenizer is "${spec}"; it must be "byte" or "bpe:N", such as "bpe:8000".`,
    );
  }
  const size = Number(match[1]);
  if (size < smallestBpeVocabulary || size > largestBpeVocabulary) {
    throw new SwitchyardError(
      'invalid-argument',
      `The tokenizer "${spec}" asks for ${size} entries; N must be from ${smallestBpeVocabulary}, one for each byte, to ${largestBpeVocabulary}.`,
    );
  }
  return size;
}

/** Tokens are the bytes of the UTF-8 text; vocabulary 256. */
export const byteTokenizer: Tokenizer = createTokenizer('byte', byteModel, (texts) =>
  Promise.resolve(texts.map((text) => Uint32Array.from(Buffer.from(text, 'utf8')))),
);

/**
 * Restores a tokenizer from the text of its `tokenizer.json`.
 * @param spec the dataset's record of it; without one, N is the number of entries
 * @param where names the file in errors
 * @throws SwitchyardError `invalid-data`, `unsupported`; see `parseTokenizerJson`
 */
export async function loadTokenizer(
  json: string,
  spec?: string,
  where = 'tokenizer.json',
): Promise<Tokenizer> {
  const model = parseTokenizerJson(json, where);
  const isByte = isByteModel(model);
  if (spec !== undefined && isByte !== (parseTokenizerSpec(spec) === null)) {
    throw new SwitchyardError(
      'invalid-data',
      `${where} holds a ${isByte ? 'byte' : 'bpe'} tokenizer, but its dataset was recorded with "${spec}".`,
    );
  }
  if (isByte) return byteTokenizer;
  return createBpeTokenizer(
    (spec as TokenizerSpec | undefined) ?? `bpe:${model.entries.length}`,
    model,
  );
}

/**
 * The decoder in the text of a `tokenizer.json`, for whoever only reads: native code stays out.
 * @throws SwitchyardError `invalid-data`, `unsupported`; see `parseTokenizerJson`
 */
export function loadDecoder(json: string, where = 'tokenizer.json'): TokenDecoder {
  return createDecoder(parseTokenizerJson(json, where), where);
}

/** A tokenizer that encodes by Hugging Face's library, loaded only here: it is native code. */
export async function createBpeTokenizer(
  spec: TokenizerSpec,
  model: ByteLevelModel,
): Promise<Tokenizer> {
  const library = await import('tokenizers');
  const native = library.Tokenizer.fromString(tokenizerJson(model));
  const encodeEach = async (texts: readonly string[]): Promise<number[][]> => {
    const encodings = await native.encodeBatch([...texts], { addSpecialTokens: false });
    return encodings.map((encoding) => encoding.getIds());
  };
  return createTokenizer(spec, model, cacheWords(encodeEach));
}

function createTokenizer(
  spec: TokenizerSpec,
  model: ByteLevelModel,
  encodeBatch: Tokenizer['encodeBatch'],
): Tokenizer {
  return {
    ...createDecoder(model, spec),
    spec,
    encodeBatch,
    async encode(text) {
      const [tokens] = await encodeBatch([text]);
      return tokens;
    },
    toJson: () => tokenizerJson(model),
  };
}

/** @param name for messages */
function createDecoder(model: ByteLevelModel, name: string): TokenDecoder {
  const table = model.entries.map((entry) => entryBytes(entry) ?? new Uint8Array());
  const bytes = (token: number): Uint8Array => {
    const found = table[token];
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
