/**
 * GPT-2's byte-level alphabet: one printable character for each of the 256 bytes, so that a
 * byte-pair vocabulary is a table of ordinary strings. Printable Latin-1 bytes stand for
 * themselves; the others take the characters from U+0100 on, in order.
 */
export const byteCharacters: readonly string[] = buildAlphabet();

function buildAlphabet(): string[] {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable =
      (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    return String.fromCharCode(printable ? byte : next++);
  });
}

const byteOfCharacter = new Map(byteCharacters.map((character, byte) => [character, byte]));

/** The bytes that a vocabulary entry stands for, or null if it uses other characters. */
export function entryBytes(entry: string): Uint8Array<ArrayBuffer> | null {
  const bytes = new Uint8Array(entry.length);
  for (let i = 0; i < entry.length; i++) {
    const byte = byteOfCharacter.get(entry[i]);
    if (byte === undefined) return null;
    bytes[i] = byte;
  }
  return bytes;
}
