/**
 * Files that are either whole or absent: written under a temporary name in the same folder,
 * fsynced, renamed over the target, and the folder fsynced so that the rename survives a power cut.
 * A crash leaves at most a `*.tmp` file beside the target, which nothing reads.
 *
 * Everything here is synchronous: callers are workers, or write a few kilobytes.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { withFileErrors } from './fileErrors.ts';

/**
 * Creates or replaces `path` with what `write` puts into the open descriptor. If `write` or the
 * disk fails, the old file is untouched and the temporary one is removed.
 * @throws SwitchyardError `disk-full`, `not-found` (no such folder) or `invalid-argument` (permission)
 */
export function writeFileAtomically(path: string, write: (descriptor: number) => void): void {
  const temporary = `${path}.${randomUUID()}.tmp`;
  withFileErrors('write', path, () => {
    const descriptor = openSync(temporary, 'wx');
    try {
      try {
        write(descriptor);
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
    syncFolder(dirname(path));
  });
}

/** {@link writeFileAtomically} of UTF-8 text. */
export function writeTextAtomically(path: string, text: string): void {
  writeFileAtomically(path, (descriptor) => writeFully(descriptor, Buffer.from(text, 'utf8')));
}

/** {@link writeFileAtomically} of a value as indented JSON with a final newline. */
export function writeJsonAtomically(path: string, value: unknown): void {
  writeTextAtomically(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** One write call takes at most this many bytes: some systems refuse 2^31 and more at once. */
const largestWrite = 2 ** 30;

/** Writes all bytes at the descriptor's current position; one `write` call may write fewer. */
export function writeFully(descriptor: number, bytes: Uint8Array): void {
  let done = 0;
  while (done < bytes.byteLength) {
    done += writeSync(descriptor, bytes, done, Math.min(bytes.byteLength - done, largestWrite));
  }
}

/** Makes renames and new files inside `folder` durable. Windows cannot fsync a folder and needs none. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
