/** Where a text may be cut into blocks. All positions are byte offsets into UTF-8. */

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/** The largest cut that leaves no character in two; all bytes when the end is not UTF-8 anyway. */
export function characterCut(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(4, bytes.length); back++) {
    const lead = bytes[bytes.length - back];
    if (isContinuation(lead)) continue;
    const length = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** A text without a place to cut for this long is cut between characters instead. */
const longestWord = 2 ** 20;

/**
 * The last place at which text can be cut so that its parts encode as the whole does: directly
 * before a newline or space that follows something else than white space.
 *
 * GPT-2's pattern, by which byte-level BPE first cuts text into words, has no word in which white
 * space follows other characters, so none spans such a place; and what it makes of a run of white
 * space depends on what comes after the run, never before. After a newline the cut would be wrong:
 * "\n  x" holds the words "\n " and " x".
 * @returns 0 while there is no such place, unless the text is longer than 1 MiB: then a cut between
 *   characters, which round-trips but may encode that one word differently
 */
export function wordCut(bytes: Buffer): number {
  for (let i = bytes.length - 1; i > 0; i--) {
    const isSpace = bytes[i] === 0x0a || bytes[i] === 0x20;
    if (isSpace && !endsWithSpace(bytes, i)) return i;
  }
  return bytes.length > longestWord ? characterCut(bytes) : 0;
}

/** Whether the character before `end` could pass for white space. */
function endsWithSpace(bytes: Buffer, end: number): boolean {
  let start = end - 1;
  while (start > 0 && isContinuation(bytes[start])) start--;
  return canPassForSpace(bytes.toString('utf8', start, end).charCodeAt(0));
}

/**
 * Whether a UTF-16 unit is white space by any definition that the regular-expression engines
 * involved use, controls included; where they disagree, not cutting is always right.
 */
export function canPassForSpace(unit: number): boolean {
  if (unit < 0x80) return unit <= 0x20;
  return /[\s\u0085\u180e]/.test(String.fromCharCode(unit));
}

/** How far behind its exact place the validation part may start, in order to start with a line. */
export const lineSearchBytes = 4096;

/**
 * The first good place to split a text at or after `position`: the next start of a line if there is
 * one within 4 KiB, else the next start of a character.
 * @param window the bytes from `position - 1` on, as far as they go, at least 4 KiB if there are
 * @returns the distance from `position`
 */
export function splitDistance(window: Uint8Array): number {
  const newline = window.subarray(0, lineSearchBytes).indexOf(0x0a);
  // A line that starts where the text ends is no line.
  if (newline >= 0 && newline + 1 < window.length) return newline;
  let distance = 0;
  while (distance < 3 && isContinuation(window[distance + 1] ?? 0)) distance++;
  return distance;
}
