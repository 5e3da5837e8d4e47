/** A CSV file of recorded points that is whole or absent, and never in the place of another. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SwitchyardError } from '../contract/errors.ts';
import { syncFolder } from '../data/atomicFile.ts';
import { fileError } from '../data/fileErrors.ts';
import { csvHeader, csvLines, type PointBlock } from '../export/pointsCsv.ts';

export type { PointBlock };

/**
 * Creates the file, empty, so that nobody else takes its name meanwhile.
 * @throws SwitchyardError `conflict` when something is there already, `not-found` without its folder
 */
export async function reserveFile(file: string): Promise<void> {
  if (!existsSync(dirname(file)))
    throw new SwitchyardError(
      'not-found',
      `There is no folder ${dirname(file)} to put the export in. Create it first, or choose another place.`,
    );
  try {
    await (await open(file, 'wx')).close();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST'))
      throw fileError(error, 'export to', file);
    throw new SwitchyardError(
      'conflict',
      `There is something at ${file} already, and an export never overwrites. Choose a new file.`,
      { cause: error },
    );
  }
}

/**
 * Fills a reserved file, block by block; `blocks` is asked for one at a time. If that fails, the
 * reserved file goes as well.
 * @throws SwitchyardError `disk-full`, and whatever `blocks` throws
 */
export async function writePoints(
  file: string,
  blocks: Iterable<PointBlock>,
): Promise<{ rows: number; bytes: number }> {
  const temporary = join(dirname(file), `.${basename(file)}-${randomUUID().slice(0, 8)}.tmp`);
  try {
    const written = await writeNewFile(temporary, blocks);
    await rename(temporary, file);
    syncFolder(dirname(file));
    return written;
  } catch (error) {
    await rm(temporary, { force: true });
    await rm(file, { force: true });
    throw fileError(error, 'export to', file);
  }
}

async function writeNewFile(
  path: string,
  blocks: Iterable<PointBlock>,
): Promise<{ rows: number; bytes: number }> {
  const handle = await open(path, 'wx');
  try {
    const written = await writeLines(handle, blocks);
    await handle.sync();
    return written;
  } finally {
    await handle.close();
  }
}

async function writeLines(
  handle: FileHandle,
  blocks: Iterable<PointBlock>,
): Promise<{ rows: number; bytes: number }> {
  let rows = 0;
  await handle.writeFile(csvHeader());
  for (const block of blocks) {
    const lines = csvLines(block);
    await handle.writeFile(lines.text); // goes on where the last one ended
    rows += lines.rows;
  }
  return { rows, bytes: (await handle.stat()).size };
}
