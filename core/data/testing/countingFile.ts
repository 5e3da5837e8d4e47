import assert from 'node:assert/strict';
import type { TokenFile } from '../tokenFile.ts';

/** A token file in which token i is i, so that a row shows where it came from. */
export function countingFile(length: number): TokenFile {
  return {
    path: 'counting.tokens',
    length,
    read(start, count, into, offset = 0) {
      assert.ok(start >= 0 && start + count <= length, `read ${count} at ${start} of ${length}`);
      for (let i = 0; i < count; i++) into[offset + i] = start + i;
    },
    close: () => undefined,
  };
}
