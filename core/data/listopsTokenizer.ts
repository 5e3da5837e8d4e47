/**
 * The tokenizer of ListOps data: one token a word, from a fixed table. Read back, an example is its
 * expression, ` = ` and its value on a line of its own.
 */
import { SwitchyardError } from '../contract/errors.ts';
import { listopsVocabulary } from '../contract/listops.ts';
import { listopsClasses, listopsWords } from './listops.ts';
import { createDecoder } from './tokenDecoder.ts';
import type { Tokenizer } from './tokenizer.ts';

/** What each token reads as, the class tokens that end examples included. */
const texts: readonly string[] = [
  ...listopsWords.map((word) => `${word} `),
  ...Array.from({ length: listopsClasses }, (_, value) => `= ${value}\n`),
];

/** Tokens that models read are 0 … 17; in files and readable text the class tokens follow them. */
export const listopsTokenizer: Tokenizer = {
  ...createDecoder(
    texts.map((text) => Buffer.from(text)),
    'listops',
  ),
  vocabulary: listopsVocabulary,
  spec: 'listops',
  encode: (text) => Promise.resolve(encodeWords(text)),
  encodeBatch: (batch) => Promise.resolve(batch.map(encodeWords)),
  toJson: () => listopsTokenizerJson,
};

const tokenOfText = new Map(texts.map((text, token) => [text.trim(), token]));

function encodeWords(text: string): Uint32Array<ArrayBuffer> {
  // A value and its equals sign are one token.
  const words = text.match(/=\s*\S+|\S+/gu) ?? [];
  return Uint32Array.from(words, (word) => {
    const token = tokenOfText.get(word.replace(/^=\s*/u, '= '));
    if (token !== undefined) return token;
    throw new SwitchyardError(
      'invalid-argument',
      `"${word}" is no word of ListOps. There are ${listopsWords.slice(1).join(' ')}, separated by spaces, and "= 7" after an expression.`,
    );
  });
}

/**
 * Its `tokenizer.json` in Hugging Face's format: a table of words, without class tokens. A word that
 * is not in it is an error there too, as the named unknown token does not exist.
 */
export const listopsTokenizerJson = `${JSON.stringify(
  {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: 'WhitespaceSplit' },
    post_processor: null,
    decoder: null,
    model: {
      type: 'WordLevel',
      vocab: Object.fromEntries(listopsWords.map((word, token) => [word, token])),
      unk_token: '[UNK]',
    },
  },
  null,
  1,
)}\n`;
