/**
 * Text to tokens and back, without loss: the tokenizers of texts are byte-level, so that every text
 * round-trips exactly. No special tokens, no normalisation, no prefix space. ListOps has its own.
 */
import { SwitchyardError } from '../contract/errors.ts';
import { entryBytes } from './byteLevel.ts';
import { listopsTokenizer, listopsTokenizerJson } from './listopsTokenizer.ts';
import { createDecoder, type TokenDecoder } from './tokenDecoder.ts';
import {
  byteModel,
  isByteModel,
  parseTokenizerJson,
  tokenizerJson,
  type ByteLevelModel,
} from './tokenizerJson.ts';
import { cacheWords } from './wordCache.ts';

export type TokenizerSpec = 'byte' | 'listops' | `bpe:${number}`;

export type { TokenDecoder };

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

/** Smallest N of `bpe:N`: every byte needs an entry, or texts would not round-trip. */
export const smallestBpeVocabulary = 256;
/** Largest N of `bpe:N`: the trainer of the `tokenizers` package stops there. */
export const largestBpeVocabulary = 30_000;

/**
 * Reads a tokenizer's name from the configuration.
 * @returns the N of `bpe:N`, or null for `byte` and `listops`, which have nothing to learn
 * @throws SwitchyardError `invalid-argument`
 */
export function parseTokenizerSpec(spec: string): number | null {
  if (spec === 'byte' || spec === 'listops') return null;
  const match = /^bpe:([1-9][0-9]{0,8})$/.exec(spec);
  if (match === null) {
    throw new SwitchyardError(
      'invalid-argument',
      `The tokenizer is "${spec}"; it must be "byte", "listops" or "bpe:N", such as "bpe:8000".`,
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
  const model = json === listopsTokenizerJson ? null : parseTokenizerJson(json, where);
  const kind = model === null ? 'listops' : isByteModel(model) ? 'byte' : 'bpe';
  if (spec !== undefined && kind !== (parseTokenizerSpec(spec) === null ? spec : 'bpe')) {
    throw new SwitchyardError(
      'invalid-data',
      `${where} holds a ${kind} tokenizer, but its dataset was recorded with "${spec}".`,
    );
  }
  if (model === null) return listopsTokenizer;
  if (kind === 'byte') return byteTokenizer;
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
  if (json === listopsTokenizerJson) return listopsTokenizer;
  return byteLevelDecoder(parseTokenizerJson(json, where), where);
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
    ...byteLevelDecoder(model, spec),
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
function byteLevelDecoder({ entries }: ByteLevelModel, name: string): TokenDecoder {
  return createDecoder(
    entries.map((entry) => entryBytes(entry) ?? new Uint8Array()),
    name,
  );
}
