/**
 * Texts that a page uploads lie in `uploads/<id>/<file name>` until they are imported. The id ends
 * with the process that receives it, so that what a killed one left can be told.
 */
import { randomUUID } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SwitchyardError } from '../contract/errors.ts';
import { isAlive } from '../store/processes.ts';
import type { DataDirectory } from './dataDirectory.ts';

/** Nothing that matches leads to another folder. */
const idPattern = /^[a-z0-9]{1,64}-(\d{1,10})$/u;

/** The name of a folder for something on its way in; unique, and ends with this process. */
export function newUploadId(): string {
  return `${randomUUID().replaceAll('-', '')}-${process.pid}`;
}

/**
 * The path of an upload's one file.
 * @throws SwitchyardError `invalid-argument` for what cannot be an id or is not complete, `not-found`
 */
export async function uploadedFile({ uploads }: DataDirectory, id: string): Promise<string> {
  if (!idPattern.test(id))
    throw new SwitchyardError(
      'invalid-argument',
      `datasets.import: upload is ${JSON.stringify(id)}, but must be the name that the server gave an upload, such as "k3v9x2-1234".`,
    );
  const files = await readdir(join(uploads, id)).catch(() => []);
  const [file] = files;
  if (file === undefined)
    throw new SwitchyardError(
      'not-found',
      `There is no upload "${id}"; it was imported or removed already. Upload the file again.`,
    );
  if (files.length > 1 || file.endsWith('.part'))
    throw new SwitchyardError(
      'invalid-argument',
      `The upload "${id}" is not complete yet. Import it once its upload has ended.`,
    );
  return join(uploads, id, file);
}

export async function removeUpload({ uploads }: DataDirectory, id: string): Promise<void> {
  await rm(join(uploads, id), { recursive: true, force: true });
}

/** Deletes the uploads of processes that are gone. A pid that another program has by now only delays this. */
export function sweepUploads({ uploads }: DataDirectory): void {
  for (const id of readdirSync(uploads)) {
    const pid = idPattern.exec(id)?.[1];
    if (pid !== undefined && !isAlive({ pid: Number(pid), started: null }))
      rmSync(join(uploads, id), { recursive: true, force: true });
  }
}
