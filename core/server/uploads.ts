/** Receiving a file from a page into `uploads/<id>/<name>`, where `datasets.import` finds it. */
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, statfs } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { newUploadId } from '../api/uploads.ts';
import { SwitchyardError } from '../contract/errors.ts';
import * as format from '../contract/format.ts';
import type { Uploaded } from '../contract/wire.ts';

/** Of the file itself, for the file system's own bookkeeping. */
const spareShare = 0.05;

/**
 * Streams the body to disk; whatever goes wrong, nothing of it stays.
 * @param home the data directory
 * @throws SwitchyardError `invalid-argument`, `disk-full`, or `interrupted` where the body ended early
 */
export async function receiveUpload(
  request: IncomingMessage,
  name: string,
  home: string,
): Promise<Uploaded> {
  requireFileName(name);
  const bytes = Number(request.headers['content-length']);
  await requireSpace(home, name, bytes);
  const upload = newUploadId();
  const folder = join(home, 'uploads', upload);
  const path = join(folder, name);
  try {
    await mkdir(folder, { recursive: true });
    const file = createWriteStream(`${path}.part`, { flags: 'wx' });
    await pipeline(request, file);
    if (file.bytesWritten !== bytes)
      throw new SwitchyardError(
        'interrupted',
        `${name} was announced with ${bytes} bytes, but ${file.bytesWritten} came. Upload it again.`,
      );
    await rename(`${path}.part`, path);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw uploadError(error, name);
  }
  return { upload, path, bytes };
}

function requireFileName(name: string): void {
  const wrong = (right: string): SwitchyardError =>
    new SwitchyardError(
      'invalid-argument',
      `The upload’s name is ${JSON.stringify(name.slice(0, 300))}, but must be ${right}.`,
    );
  if (name === '' || name === '.' || name === '..') throw wrong('the name of a file');
  if (/[/\\\p{Cc}]/u.test(name))
    throw wrong('a file name without slashes, backslashes and control characters');
  if (Buffer.byteLength(name) > 200) throw wrong('at most 200 bytes long');
  if (name.endsWith('.part'))
    throw wrong('one that does not end with ".part", as unfinished ones do');
}

/** Before anything is read: a disk that fills up at the end of a long upload helps nobody. */
async function requireSpace(home: string, name: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(home);
  const needed = Math.ceil(bytes * (1 + spareShare));
  const free = bavail * bsize;
  if (free >= needed) return;
  throw new SwitchyardError(
    'disk-full',
    `${name} needs ${format.bytes(needed)}, but only ${format.bytes(free)} are free where ${home} lies. Free some space and upload it again.`,
  );
}

function uploadError(error: unknown, name: string): unknown {
  if (error instanceof SwitchyardError || !(error instanceof Error)) return error;
  const code = 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new SwitchyardError(
      'disk-full',
      `The disk filled up while ${name} was uploaded; nothing of it was kept. Free some space and upload it again.`,
      { cause: error },
    );
  if (code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ECONNRESET')
    return new SwitchyardError('interrupted', `The upload of ${name} was broken off.`, {
      cause: error,
    });
  return error;
}
