/** Names of exports that nobody named: readable, and never one that is taken. */
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Run } from '../contract/records.ts';

/** A run's name as part of a file name: letters, digits and single hyphens; its id if nothing is left. */
export function slug({ id, name }: Pick<Run, 'id' | 'name'>): string {
  const plain = name
    .normalize('NFC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-');
  // 40 characters are at most 160 bytes, and file names may have 255.
  return Array.from(plain).slice(0, 40).join('').replace(/^-|-$/gu, '') || id;
}

/** Creates a new empty folder of that name, with a number if it is taken, and returns its path. */
export function newExportFolder(parent: string, name: string): Promise<string> {
  return firstFree(parent, name, '', async (path) => {
    await mkdir(path);
  });
}

/** Creates a new empty file of that name, with a number if it is taken, and returns its path. */
export function newExportFile(parent: string, name: string, extension: string): Promise<string> {
  return firstFree(parent, name, extension, async (path) => {
    await (await open(path, 'wx')).close();
  });
}

/** The path of the first name that `create` finds free; it is created, so that nobody else gets it. */
async function firstFree(
  parent: string,
  name: string,
  extension: string,
  create: (path: string) => Promise<void>,
): Promise<string> {
  for (let number = 1; ; number++) {
    const path = join(parent, `${name}${number === 1 ? '' : `-${number}`}${extension}`);
    try {
      await create(path);
      return path;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
  }
}
