import { readdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DataDirectory } from './dataDirectory.ts';

/** No export takes this long: one that has not changed since, in milliseconds, was left by a process that died. */
const abandonedAfter = 24 * 60 * 60_000;

/** Deletes what exports that were cut off left in `exports/`: temporary files, and names without content. */
export function sweepExports({ exports }: DataDirectory): void {
  const before = Date.now() - abandonedAfter;
  for (const name of readdirSync(exports)) {
    const path = join(exports, name);
    const found = statSync(path);
    if (found.mtimeMs > before) continue;
    if (/^\..*\.tmp$/u.test(name)) rmSync(path, { recursive: true, force: true });
    else if (!found.isDirectory() && found.size === 0) rmSync(path, { force: true });
    else if (found.isDirectory() && readdirSync(path).length === 0) rmdirSync(path);
  }
}
