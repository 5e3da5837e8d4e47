import { readSync } from 'node:fs';

/** One read call takes at most this many bytes: Node refuses 2^31 and more at once. */
const largestRead = 2 ** 30;

/**
 * Fills `into` from `position` (bytes from the start of the file, exact up to 2^53).
 * @returns the bytes read; fewer than `into` holds only at the end of the file
 */
export function readFully(descriptor: number, into: Uint8Array, position: number): number {
  let done = 0;
  while (done < into.byteLength) {
    const wanted = Math.min(into.byteLength - done, largestRead);
    const got = readSync(descriptor, into, done, wanted, position + done);
    if (got === 0) break;
    done += got;
  }
  return done;
}
