import { existsSync, renameSync } from 'node:fs';
import { withFileErrors } from '../data/fileErrors.ts';

/**
 * Renames a folder on its own file system, in one step; does nothing if it is not there.
 * @param doing why, to complete "Cannot …"
 * @throws SwitchyardError `invalid-argument` (permission; on Windows also a file in it that is open)
 */
export function moveFolder(from: string, to: string, doing: string): void {
  if (existsSync(from)) withFileErrors(doing, from, () => renameSync(from, to));
}
