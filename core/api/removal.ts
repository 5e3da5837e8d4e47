/**
 * Deleting a run or a dataset takes two steps, rows and files, and a crash can come between them. So
 * the folder is first renamed to `.removing-<id>-<process>`: the next opening either finishes the
 * removal (the row is gone) or undoes it (the row is there). Folders that the database merely does
 * not know are never touched: somebody may have put an older database in its place.
 */
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SwitchyardError } from '../contract/errors.ts';
import { moveFolder } from '../jobs/moveFolder.ts';
import type { Store } from '../store/database.ts';
import { isAlive } from '../store/processes.ts';
import { bytesOf } from './diskUsage.ts';

/**
 * Runs `forget`, which removes the rows, and deletes the folder `<parent>/<id>`. If that fails,
 * everything stays as it was; only on a full disk the files go first, as the rows cannot be changed
 * without room.
 * @param forget throws when the thing is in use; nobody can take it into use before the folder is gone
 * @returns the bytes that were freed
 */
export async function removeWithFolder(
  store: Store,
  parent: string,
  id: string,
  forget: () => void,
): Promise<number> {
  const folder = join(parent, id);
  const aside = join(parent, `.removing-${id}-${process.pid}`);
  const bytes = await bytesOf(folder);
  try {
    store.transaction(() => {
      forget();
      moveFolder(folder, aside, 'delete');
    });
  } catch (error) {
    if (existsSync(aside)) renameSync(aside, folder); // the rows could not be written after all
    if (!(error instanceof SwitchyardError) || error.code !== 'disk-full') throw error;
    // `forget` found nothing against it: it failed at writing.
    rmSync(folder, { recursive: true, force: true });
    store.transaction(forget);
  }
  // What cannot be cleared away now, the next opening does; the thing itself is gone already.
  await rm(aside, { recursive: true, force: true }).catch(() => undefined);
  return bytes - (await bytesOf(aside));
}

/** Finishes or undoes the removals in `parent` whose processes are gone. */
export function settleRemovals(parent: string, exists: (id: string) => boolean): void {
  for (const name of readdirSync(parent)) {
    const [, id, pid] = /^\.removing-([rd]-[0-9a-z]+)-(\d+)$/u.exec(name) ?? [];
    if (id === undefined || isAlive({ pid: Number(pid), started: null })) continue;
    const aside = join(parent, name);
    if (!exists(id)) rmSync(aside, { recursive: true, force: true });
    else if (!existsSync(join(parent, id))) renameSync(aside, join(parent, id));
  }
}
