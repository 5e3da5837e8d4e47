/** What takes space in the data directory, as the files report it. */
import type { Dirent } from 'node:fs';
import { readdir, rm, stat, statfs } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { SwitchyardError } from '../contract/errors.ts';
import type { DiskUsage, ExportRecord } from '../contract/records.ts';
import { text } from './arguments.ts';
import type { Context } from './context.ts';
import { handler } from './handlers.ts';

export const diskHandlers = (context: Context) => ({
  'disk.usage': handler('disk.usage', {}, () => diskUsage(context)),
  'exports.remove': handler('exports.remove', { name: text(255) }, async ({ name }) => ({
    bytes: await removeExport(context, name),
  })),
});

async function diskUsage({ directory }: Context): Promise<DiskUsage> {
  const { home, database, logs, runs, datasets } = directory;
  const { bavail, bsize } = await statfs(home);
  // The database proper, its -wal and -shm files, and the snapshots beside it.
  const databases = (await entries(home)).filter(({ name }) => name.startsWith(basename(database)));
  const sizes = await Promise.all(databases.map(({ name }) => bytesOf(join(home, name))));
  return {
    home,
    free: bavail * bsize,
    database: sizes.reduce((sum, bytes) => sum + bytes, 0),
    logs: await bytesOf(logs),
    runs: await sizesIn(runs),
    datasets: await sizesIn(datasets),
    exports: await listExports(directory.exports),
  };
}

/** Folders by the id that they are named after, whether or not the database knows it. */
async function sizesIn(folder: string): Promise<{ id: string; bytes: number }[]> {
  const shown = (await entries(folder)).filter(({ name }) => !name.startsWith('.'));
  return Promise.all(
    shown.map(async ({ name }) => ({ id: name, bytes: await bytesOf(join(folder, name)) })),
  );
}

/** What is in the exports folder, newest first; an export that is still being written is not. */
async function listExports(folder: string): Promise<ExportRecord[]> {
  const shown = (await entries(folder)).filter(({ name }) => !isTemporary(name));
  const records = await Promise.all(shown.map(({ name }) => describe(join(folder, name))));
  return records
    .filter((record) => record !== null)
    .filter(({ bytes }) => bytes > 0) // a name that is reserved for an export under way
    .sort((a, b) => b.createdAt.localeCompare(a.createdAt) || a.name.localeCompare(b.name));
}

const isTemporary = (name: string) => name.startsWith('.') || name.endsWith('.tmp');

async function describe(path: string): Promise<ExportRecord | null> {
  const files = await filesOf(path);
  const found = await unlessGone(stat(path));
  if (found === null) return null;
  return {
    name: basename(path),
    path,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    files,
    createdAt: found.mtime.toISOString(),
  };
}

async function removeExport({ directory }: Context, name: string): Promise<number> {
  // Only a name that is listed: nothing that leads elsewhere can be one.
  const records = await listExports(directory.exports);
  const found = records.find((record) => record.name === name);
  if (found === undefined)
    throw new SwitchyardError(
      'not-found',
      `There is no export "${name}" in ${directory.exports}; it may have been deleted or moved already.`,
    );
  await rm(found.path, { recursive: true, force: true });
  return found.bytes;
}

/** Bytes of a file, or of all files below a folder; 0 if it is not there. */
export async function bytesOf(path: string): Promise<number> {
  return (await filesOf(path)).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** A file by its own name, or the files below a folder by their paths in it. */
async function filesOf(path: string): Promise<{ name: string; bytes: number }[]> {
  const found = await unlessGone(stat(path));
  if (found === null) return [];
  if (!found.isDirectory()) return [{ name: basename(path), bytes: found.size }];
  const below = (await entries(path, true)).filter((entry) => !entry.isDirectory());
  const files = await Promise.all(
    below.map(async (entry) => {
      const file = join(entry.parentPath, entry.name);
      const bytes = (await unlessGone(stat(file)))?.size ?? 0;
      return { name: relative(path, file), bytes };
    }),
  );
  return files.sort((a, b) => a.name.localeCompare(b.name));
}

async function entries(folder: string, recursive = false): Promise<Dirent[]> {
  return (await unlessGone(readdir(folder, { withFileTypes: true, recursive }))) ?? [];
}

/** Files come and go while somebody counts: null for one that went. */
async function unlessGone<T>(look: Promise<T>): Promise<T | null> {
  try {
    return await look;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
