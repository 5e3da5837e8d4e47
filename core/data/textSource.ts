/**
 * A text file that is read in blocks and never held in memory. Its bytes are checked, never
 * repaired: a byte-order mark stays, line endings stay, and what is not UTF-8 is an error.
 */
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { SwitchyardError } from '../contract/errors.ts';
import { fileError } from './fileErrors.ts';
import { characterCut } from './textCuts.ts';

export interface TextSource {
  readonly path: string;
  readonly bytes: number;
  readonly handle: FileHandle;
  /** For noticing that the file changed while it was read. */
  readonly modified: number;
}

/**
 * Opens a regular, non-empty file. The caller closes `handle`.
 * @throws SwitchyardError `not-found`, `invalid-data`
 */
export async function openText(path: string): Promise<TextSource> {
  try {
    // Before opening: opening a named pipe would wait for its writer.
    const status = await stat(path);
    if (status.isDirectory()) {
      throw invalid(`${path} is a folder. Choose a text file in it.`);
    }
    if (!status.isFile())
      throw invalid(`${path} is not a regular file. Save the text to a file first.`);
    if (status.size === 0) throw invalid(`${path} is empty. Choose a file with text in it.`);
    const handle = await open(path, 'r');
    return { path, bytes: status.size, handle, modified: status.mtimeMs };
  } catch (error) {
    throw fileError(error, 'read the text file', path);
  }
}

/**
 * Reads bytes `start` to `end` in order.
 * @param cut how many bytes of what has been read make a block; 0 waits for more. What is left
 *   starts the next block. The last block has all that is left.
 */
export async function* textBlocks(
  source: TextSource,
  range: { start: number; end: number; blockBytes: number },
  cut: (bytes: Buffer) => number,
): AsyncGenerator<Buffer, void, undefined> {
  let rest = Buffer.alloc(0);
  for (let position = range.start; position < range.end;) {
    const chunk = Buffer.alloc(Math.min(range.blockBytes, range.end - position));
    const { bytesRead } = await source.handle.read(chunk, 0, chunk.length, position);
    if (bytesRead === 0) throw changed(source);
    position += bytesRead;
    const read = chunk.subarray(0, bytesRead);
    const bytes = rest.length === 0 ? read : Buffer.concat([rest, read]);
    const taken = position < range.end ? cut(bytes) : bytes.length;
    if (taken > 0) yield bytes.subarray(0, taken);
    rest = bytes.subarray(taken);
  }
}

/**
 * Reads the whole file once: checks that it is UTF-8 text without NUL bytes, and hashes it.
 * @returns its sha256 in hexadecimal
 * @throws SwitchyardError `invalid-data` with the offset of the first byte that is wrong
 */
export async function checkText(
  source: TextSource,
  onBytes: (done: number) => void,
): Promise<string> {
  const hash = createHash('sha256');
  let offset = 0;
  const range = { start: 0, end: source.bytes, blockBytes: 2 ** 20 };
  for await (const block of textBlocks(source, range, characterCut)) {
    if (offset === 0) refuseWideText(source.path, block);
    const nul = block.indexOf(0);
    const wrong = isUtf8(block) ? -1 : firstInvalid(block);
    if (wrong >= 0 && (nul < 0 || wrong < nul)) {
      throw invalid(
        `${source.path} is not UTF-8 text: byte ${offset + wrong} (0x${hex(block[wrong])}) does not belong there. ${await remedy(source)}`,
      );
    }
    if (nul >= 0) {
      throw invalid(
        `${source.path} is not plain text: byte ${offset + nul} is NUL (0x00). ${await remedy(source)}`,
      );
    }
    hash.update(block);
    offset += block.length;
    onBytes(offset);
  }
  return hash.digest('hex');
}

/** @throws SwitchyardError `invalid-data` if the file is no longer what was opened */
export async function requireUnchanged(source: TextSource): Promise<void> {
  const status = await source.handle.stat();
  if (status.size !== source.bytes || status.mtimeMs !== source.modified) throw changed(source);
}

/**
 * The sha256 of a file in hexadecimal, to find out whether it was imported before.
 * @throws SwitchyardError `not-found`, `invalid-data` as {@link openText}
 */
export async function sourceHash(path: string): Promise<string> {
  const source = await openText(path);
  try {
    const hash = createHash('sha256');
    const range = { start: 0, end: source.bytes, blockBytes: 2 ** 20 };
    for await (const block of textBlocks(source, range, (bytes) => bytes.length))
      hash.update(block);
    return hash.digest('hex');
  } finally {
    await source.handle.close();
  }
}

function invalid(message: string): SwitchyardError {
  return new SwitchyardError('invalid-data', message);
}

function changed(source: TextSource): SwitchyardError {
  return invalid(`${source.path} changed while it was being imported. Import it again.`);
}

/** UTF-16 and UTF-32 announce themselves; their own sentence helps more than a byte offset. */
function refuseWideText(path: string, start: Buffer): void {
  const mark = start.toString('hex', 0, 4);
  const encoding = mark.startsWith('fffe0000')
    ? 'UTF-32LE'
    : mark.startsWith('fffe')
      ? 'UTF-16LE'
      : mark.startsWith('feff')
        ? 'UTF-16BE'
        : null;
  if (encoding === null) return;
  throw invalid(
    `${path} is ${encoding} text; only UTF-8 can be imported. Save it as UTF-8 in an editor, or run: iconv -f ${encoding.slice(0, 6)} -t UTF-8 in.txt > out.txt`,
  );
}

const containers: readonly [hexStart: string, name: string][] = [
  ['1f8b', 'a gzip archive'],
  ['504b0304', 'a zip archive (or an office document)'],
  ['fd377a585a00', 'an xz archive'],
  ['28b52ffd', 'a zstd archive'],
  ['425a68', 'a bzip2 archive'],
  ['50415231', 'a Parquet table'],
  ['255044462d', 'a PDF document'],
];

/** What to do about a file that is not text, by what its first bytes say it is. */
async function remedy(source: TextSource): Promise<string> {
  const start = Buffer.alloc(8);
  await source.handle.read(start, 0, start.length, 0);
  const found = containers.find(([hexStart]) => start.toString('hex').startsWith(hexStart));
  return found === undefined
    ? 'It may be a binary file, or text in another encoding: convert it to UTF-8 and import it again.'
    : `It looks like ${found[1]}: extract the text from it and import that.`;
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

/** Where the first character starts that is not well-formed; only called when there is one. */
function firstInvalid(bytes: Buffer): number {
  let i = 0;
  for (;;) {
    const lead = bytes[i];
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (i + length > bytes.length || !isUtf8(bytes.subarray(i, i + length))) return i;
    i += length;
  }
}
