/**
 * The built page. Its files are read once, when the server starts, into a table by their path: what a
 * request names is looked up there and never reaches the file system, and a rebuild does not change a
 * page that is open.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, relative, sep } from 'node:path';

interface StaticFile {
  readonly content: Buffer;
  readonly headers: Readonly<Record<string, string | number>>;
}
export type StaticFiles = ReadonlyMap<string, StaticFile>;

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};

/** The files below `folder` by URL path; none if it does not exist. `/` is `index.html`. */
export function readStaticFiles(folder: string): StaticFiles {
  const files = new Map<string, StaticFile>();
  if (!existsSync(folder)) return files;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.startsWith('.')) continue;
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path).split(sep).join('/');
    files.set(`/${name}`, readStaticFile(path, name));
  }
  const index = files.get('/index.html');
  if (index !== undefined) files.set('/', index);
  return files;
}

function readStaticFile(path: string, name: string): StaticFile {
  const content = readFileSync(path);
  // The bundler puts a hash of the content into the names in assets/.
  const hashed = name.startsWith('assets/');
  return {
    content,
    headers: {
      'Content-Type': contentTypes[extname(name).toLowerCase()] ?? 'application/octet-stream',
      'Content-Length': content.length,
      'Cache-Control': hashed ? 'public, max-age=31536000, immutable' : 'no-store',
    },
  };
}

/** Answers if the table has the path; else returns false. */
export function answerStatic(
  files: StaticFiles,
  path: string,
  { method }: IncomingMessage,
  response: ServerResponse,
): boolean {
  const file = method === 'GET' || method === 'HEAD' ? files.get(path) : undefined;
  if (file === undefined) return false;
  response.writeHead(200, file.headers).end(method === 'HEAD' ? undefined : file.content);
  return true;
}
