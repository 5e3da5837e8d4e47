/**
 * The part of Hugging Face's `tokenizer.json` that Switchyard writes and reads: byte-level
 * byte-pair encoding without normaliser, added tokens or post-processor. Our tokenizers of texts
 * are stored in it, so other tools load them: `byte` is the case without merges in which the
 * entry of byte b has id b.
 */
import { SwitchyardError } from '../contract/errors.ts';
import { byteCharacters, entryBytes } from './byteLevel.ts';

/** Vocabulary entries in the byte-level alphabet; the index is the token. */
export interface ByteLevelModel {
  entries: readonly string[];
  /** In order of priority. */
  merges: readonly (readonly [string, string])[];
}

/** The text of a `tokenizer.json`; the same model always gives the same text. */
export function tokenizerJson(model: ByteLevelModel): string {
  // Without merges the pattern that cuts text into words changes nothing and only takes time.
  const useRegex = model.merges.length > 0;
  const byteLevel = {
    type: 'ByteLevel',
    add_prefix_space: false,
    trim_offsets: true,
    use_regex: useRegex,
  };
  const json = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(model.entries.map((entry, token) => [entry, token])),
      merges: model.merges,
    },
  };
  return `${JSON.stringify(json, null, 1)}\n`;
}

/**
 * Reads what {@link tokenizerJson} wrote. Anything that would tokenize differently from ours
 * (another model, a normaliser, added tokens) is refused, never ignored.
 * @param where names the file in errors
 * @throws SwitchyardError `invalid-data` when it is not a tokenizer, `unsupported` for another kind
 */
export function parseTokenizerJson(text: string, where: string): ByteLevelModel {
  const damaged = (what: string): never => {
    throw new SwitchyardError('invalid-data', `${where} is not a usable tokenizer: ${what}.`);
  };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return damaged('it is not valid JSON');
  }
  const root = record(json) ?? damaged('it is not a JSON object');
  const model = record(root['model']) ?? damaged('it has no "model"');
  const foreign =
    model['type'] !== 'BPE'
      ? `a model of type ${String(model['type'])}`
      : record(root['pre_tokenizer'])?.['type'] !== 'ByteLevel'
        ? 'another pre-tokenizer than ByteLevel'
        : record(root['pre_tokenizer'])?.['add_prefix_space'] === true
          ? 'add_prefix_space'
          : root['normalizer'] != null
            ? 'a normalizer'
            : Array.isArray(root['added_tokens']) && root['added_tokens'].length > 0
              ? 'added tokens'
              : null;
  if (foreign !== null) {
    throw new SwitchyardError(
      'unsupported',
      `${where} has ${foreign}; this version reads byte-level BPE without special tokens, and ListOps, as it writes them.`,
    );
  }
  const entries = readVocabulary(model['vocab'], damaged);
  const merges = readMerges(model['merges'], damaged);
  const known = new Set(entries);
  for (const [left, right] of merges) {
    if (!known.has(left) || !known.has(right) || !known.has(left + right)) {
      damaged(`the merge of "${left}" and "${right}" is not in its vocabulary`);
    }
  }
  return { entries, merges };
}

/** The model of the byte tokenizer: token b is byte b. */
export const byteModel: ByteLevelModel = { entries: byteCharacters, merges: [] };

/** Whether tokens are plain byte values, and texts thus need no byte-pair encoding. */
export function isByteModel(model: ByteLevelModel): boolean {
  return (
    model.merges.length === 0 &&
    model.entries.length === 256 &&
    model.entries.every((entry, token) => entry === byteCharacters[token])
  );
}

function readVocabulary(value: unknown, damaged: (what: string) => never): string[] {
  const vocabulary = Object.entries(record(value) ?? damaged('it has no vocabulary'));
  const entries: string[] = new Array<string>(vocabulary.length);
  const taken = new Uint8Array(vocabulary.length);
  for (const [entry, token] of vocabulary) {
    if (typeof token !== 'number' || !Number.isInteger(token) || !(token in taken)) {
      return damaged(`entry "${entry}" has the number ${String(token)} of ${vocabulary.length}`);
    }
    if (taken[token] === 1) return damaged(`two entries have the number ${token}`);
    if (entryBytes(entry) === null) return damaged(`entry "${entry}" is not byte-level`);
    taken[token] = 1;
    entries[token] = entry;
  }
  const known = new Set(entries);
  const missing = byteCharacters.findIndex((character) => !known.has(character));
  if (missing >= 0) return damaged(`its vocabulary has no entry for byte ${missing}`);
  return entries;
}

/** Merges are pairs, or in files of older versions strings with one space in the middle. */
function readMerges(value: unknown, damaged: (what: string) => never): [string, string][] {
  if (!Array.isArray(value)) return damaged('it has no merges');
  return value.map((merge: unknown): [string, string] => {
    const pair: unknown = typeof merge === 'string' ? merge.split(' ') : merge;
    if (!Array.isArray(pair) || pair.length !== 2) return damaged('a merge is not a pair');
    const [left, right] = pair as unknown[];
    if (typeof left !== 'string' || typeof right !== 'string') {
      return damaged('a merge is not a pair of strings');
    }
    return [left, right];
  });
}

function record(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}
