import * as format from '../../core/contract/format.ts';

/** Characters that the core accepts. */
export const longest = { name: 200, tag: 40, note: 20_000, prompt: 1_000_000 } as const;

/**
 * Why a text cannot be used, as a sentence; null while it is short enough. Fields have no `maxlength`,
 * which would cut what is pasted without a word.
 * @param what the beginning of the sentence: `The name`
 */
export function lengthProblem(what: string, text: string, most: number): string | null {
  if (text.length <= most) return null;
  return `${what} has ${format.whole(text.length)} characters, but may have at most ${format.whole(most)}.`;
}
