/**
 * Remembers how words encode. Hugging Face's library spends most of its time and memory on
 * describing each token (text, offsets), which nobody asks for here: encoding each distinct word
 * once makes importing a large text many times faster, with the same tokens.
 */
import { canPassForSpace } from './textCuts.ts';

type EncodeEach = (texts: readonly string[]) => Promise<number[][]>;

/** Entries before the cache starts anew, and the longest word (in UTF-16 units) worth keeping. */
const largestCache = 2 ** 16;
const longestCached = 40;

/**
 * @param encodeEach encodes each text by itself
 * @returns the same function, for an encoder by GPT-2's word pattern
 */
export function cacheWords(
  encodeEach: EncodeEach,
): (texts: readonly string[]) => Promise<Uint32Array<ArrayBuffer>[]> {
  const cache = new Map<string, number[]>();
  return async (texts) => {
    const wordsOfTexts = texts.map(splitWords);
    if (cache.size > largestCache) cache.clear();
    const unknown = new Map<string, number[]>();
    for (const word of wordsOfTexts.flat()) {
      if (!cache.has(word)) unknown.set(word, []);
    }
    const missing = [...unknown.keys()];
    const encoded = missing.length === 0 ? [] : await encodeEach(missing);
    missing.forEach((word, i) => {
      unknown.set(word, encoded[i]);
      if (word.length <= longestCached) cache.set(detached(word), encoded[i]);
    });
    return wordsOfTexts.map((words) =>
      concatenate(words.map((word) => unknown.get(word) ?? cache.get(word) ?? [])),
    );
  };
}

/**
 * Cuts a text at every place at which `wordCut` could: so the encodings of the pieces, one after
 * another, are the encoding of the text. A piece is white space followed by what is not.
 */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let start = 0;
  for (let i = 1; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if ((unit === 0x20 || unit === 0x0a) && !canPassForSpace(text.charCodeAt(i - 1))) {
      words.push(text.slice(start, i));
      start = i;
    }
  }
  if (start < text.length) words.push(text.slice(start));
  return words;
}

/** A copy that shares no memory: V8's slices keep the whole text that they were cut from alive. */
function detached(word: string): string {
  return Buffer.from(word, 'utf16le').toString('utf16le');
}

function concatenate(parts: readonly (readonly number[])[]): Uint32Array<ArrayBuffer> {
  const tokens = new Uint32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) for (const token of part) tokens[at++] = token;
  return tokens;
}
