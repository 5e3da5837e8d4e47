/** Sending a file of an export to a page. Only what the core lists can be named. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Core } from '../api/openCore.ts';
import { SwitchyardError } from '../contract/errors.ts';

/**
 * @param path of the URL below `/exports`: `/<name>/<file>`, each percent-encoded
 * @throws SwitchyardError `not-found`
 */
export async function sendExport(
  core: Core,
  path: string,
  response: ServerResponse,
): Promise<void> {
  const file = await exportedFile(core, path);
  const { size } = await stat(file);
  response.writeHead(200, {
    'Content-Type': 'application/octet-stream',
    'Content-Length': size,
    'Content-Disposition': attachment(basename(file)),
  });
  // A file that grows meanwhile must not send more than was announced.
  const content = createReadStream(file, size === 0 ? {} : { end: size - 1 });
  await pipeline(content, response);
}

/** Where it lies. Names are compared with the list, never joined unseen. */
async function exportedFile(core: Core, path: string): Promise<string> {
  const [name, file, ...more] = decoded(path.slice(1).split('/'));
  const { exports } = await core.client.call('disk.usage', {});
  const record = exports.find((candidate) => candidate.name === name);
  const found = record?.files.find((candidate) => candidate.name === file);
  if (record === undefined || found === undefined || more.length > 0)
    throw new SwitchyardError(
      'not-found',
      'There is no such file among the exports; it may have been deleted or moved already.',
    );
  const isFolder = (await stat(record.path)).isDirectory();
  return isFolder ? join(record.path, found.name) : record.path;
}

function decoded(parts: string[]): string[] {
  try {
    return parts.map((part) => decodeURIComponent(part));
  } catch {
    return []; // Not a valid escape, so not a name.
  }
}

/** As RFC 6266 wants it: any name as UTF-8, and one that old clients can read. */
function attachment(name: string): string {
  const plain = name.replaceAll(/[^\x20-\x7e]|["\\%]/gu, '_');
  const encoded = encodeURIComponent(name).replaceAll(
    /['()*]/gu,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
