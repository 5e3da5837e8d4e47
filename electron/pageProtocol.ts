/**
 * The page's own scheme: `app://switchyard/…` is a file of the built renderer, with a strict content
 * security policy. There is no other host, and nothing outside that folder can be named.
 */
import type { CustomScheme } from 'electron';
import { readFile } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { appOrigin } from '../core/contract/desktop.ts';

/** To be registered before the app is ready. */
export const pageScheme: CustomScheme = {
  scheme: 'app',
  privileges: { standard: true, secure: true, supportFetchAPI: true },
};

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  'connect-src ws://127.0.0.1:*',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};

/** The page, told where its core is. */
export function pageAddress(core: { port: number; token: string }): string {
  return `${appOrigin}/index.html#core=127.0.0.1:${core.port}&token=${core.token}`;
}

/** Answers requests of the scheme from `folder`; 404 for everything that is not a file in it. */
export function servePage(folder: string): (request: Request) => Promise<Response> {
  return async ({ url, method }) => {
    const file = method === 'GET' || method === 'HEAD' ? fileOf(folder, url) : null;
    const body = file === null ? null : await readFile(file).catch(() => null);
    if (file === null || body === null) return answer(404, 'text/plain', 'Not found');
    const type = contentTypes[extname(file).toLowerCase()] ?? 'application/octet-stream';
    return answer(200, type, method === 'HEAD' ? null : body);
  };
}

/** The path that a URL names, or null where it leaves the folder or the host is another one. */
function fileOf(folder: string, url: string): string | null {
  const { host, pathname } = new URL(url);
  if (host !== new URL(appOrigin).host) return null;
  try {
    const path = join(folder, decodeURIComponent(pathname));
    return path.startsWith(folder + sep) && !path.includes('\0') ? path : null;
  } catch {
    return null; // Not a valid escape.
  }
}

function answer(status: number, type: string, body: string | Buffer<ArrayBuffer> | null): Response {
  const headers = {
    'content-type': type,
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
  };
  return new Response(body, { status, headers });
}
