/** Names that read from right to left, in sentences that read from left to right. */

/** Letters that read from right to left, and marks that turn the direction. */
const turning =
  /[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc]|[\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** Sets what stands in quotation marks apart, so that a name does not turn the words after it around. */
export function isolateNames(sentence: string): string {
  if (!turning.test(sentence)) return sentence;
  return sentence
    .replaceAll(/“([^”]*)”/gu, '“\u2068$1\u2069”')
    .replaceAll(/"([^"]*)"/gu, '"\u2068$1\u2069"');
}
