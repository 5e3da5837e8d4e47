/**
 * The core over HTTP and one WebSocket a page, on 127.0.0.1 only. Every request passes admission
 * first; the page itself is the only thing that needs no token.
 */
import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Core } from '../api/openCore.ts';
import { toErrorRecord } from '../contract/errors.ts';
import {
  closeCodes,
  exportPath,
  longestFrame,
  openPath,
  sessionPath,
  subprotocol,
  uploadPath,
  type Hello,
} from '../contract/wire.ts';
import { bears, createTicketCheck, foreign, maySpeak, shown } from './admission.ts';
import { answerError, answerJson, answerStatus, protect } from './answers.ts';
import { sendExport } from './downloads.ts';
import type { Log } from './log.ts';
import { serveSocket } from './socket.ts';
import { answerStatic, readStaticFiles, type StaticFiles } from './staticFiles.ts';
import { receiveUpload } from './uploads.ts';

const socketPath = '/socket';
const sampleText = join(import.meta.dirname, '..', '..', 'samples', 'tinyshakespeare.txt');

export interface ServeOptions {
  core: Core;
  /** What pages must show. */
  token: string;
  /** Opens the page once without the token; without one, nothing does. */
  ticket?: string | null;
  /** 0: any free one. */
  port: number;
  /** The built page's folder; without it, there is no page. */
  renderer: string;
  /** Different at every start. */
  instance: string;
  /** Why this core replaces another one, or null. */
  restarted: string | null;
  log: Log;
}

export interface Served {
  readonly port: number;
  /** Takes no new connections. */
  refuseNew(): void;
  /** Ends all connections, telling pages that the core was stopped. */
  close(): Promise<void>;
}

/** Listens, or rejects with the system's error, such as `EADDRINUSE`. */
export async function serveCore(options: ServeOptions): Promise<Served> {
  const { core, token, instance, restarted, log } = options;
  const files = readStaticFiles(options.renderer);
  const hello: Hello = {
    instance,
    version: core.version,
    home: core.home,
    platform: process.platform,
    sample: existsSync(sampleText) ? sampleText : null,
    restarted,
  };
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: longestFrame,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
  });
  const redeem = createTicketCheck(options.ticket ?? null);
  const server = createServer((request, response) => {
    route(request, response, { core, token, redeem, files, log }).catch((error: unknown) => {
      fail(response, error, log);
    });
  });
  server.requestTimeout = 0; // A long upload is not a stuck one.
  server.on('upgrade', (request, stream, head) => {
    const refusal = socketRefusal(request, token);
    if (refusal !== null) {
      refuseUpgrade(stream, refusal, log);
      return;
    }
    sockets.handleUpgrade(request, stream, head, (socket) => {
      serveSocket(socket, core, hello, log);
    });
  });
  await listen(server, options.port);
  return {
    port: (server.address() as AddressInfo).port,
    refuseNew: () => void server.close(),
    close: () => closeAll(server, sockets),
  };
}

interface Route {
  core: Core;
  token: string;
  /** Whether it is the ticket, for the first time. */
  redeem: (given: string) => boolean;
  files: StaticFiles;
  log: Log;
}

async function route(
  request: IncomingMessage,
  response: ServerResponse,
  { core, token, redeem, files, log }: Route,
): Promise<void> {
  protect(response);
  const reason = foreign(request);
  if (reason !== null) {
    log('warning', `A request was refused: ${reason}.`);
    answerStatus(response, 403);
    return;
  }
  const { method, url = '/' } = request;
  const [path, query = ''] = url.split('?', 2);
  if (answerStatic(files, path, request, response)) return;
  if (method === 'GET' && path === openPath) {
    const isFirst = redeem(new URLSearchParams(query).get('ticket') ?? '');
    if (!isFirst) log('warning', 'The page was opened with a wrong or used ticket.');
    // Without the token, the page says where to find it.
    response.writeHead(303, { Location: isFirst ? `/#token=${token}` : '/' }).end();
    return;
  }
  const isUpload = method === 'POST' && path === uploadPath;
  const isExport = method === 'GET' && path.startsWith(`${exportPath}/`);
  if (!isUpload && !isExport && !(method === 'GET' && path === sessionPath)) {
    answerStatus(response, 404);
    return;
  }
  if (!bears(request, token)) {
    log('warning', `A request of ${shown(path)} was refused: wrong or missing token.`);
    answerStatus(response, 401);
    return;
  }
  if (isExport) await sendExport(core, path.slice(exportPath.length), response);
  else if (!isUpload) response.writeHead(204).end();
  else if (!/^\d{1,15}$/u.test(request.headers['content-length'] ?? ''))
    answerError(response, { code: 'invalid-argument', message: noLength }, 411);
  else {
    const name = new URLSearchParams(query).get('name') ?? '';
    answerJson(response, 200, await receiveUpload(request, name, core.home));
  }
}

const noLength = 'An upload must say how long it is, in a Content-Length header.';

function fail(response: ServerResponse, error: unknown, log: Log): void {
  const record = toErrorRecord(error);
  if (record.code === 'internal' && !response.destroyed)
    log('error', `A request failed: ${record.stack ?? record.message}`);
  if (response.headersSent || response.destroyed) response.destroy();
  else answerError(response, record);
}

interface Refusal {
  status: string;
  reason: string;
}

function socketRefusal(request: IncomingMessage, token: string): Refusal | null {
  const reason = foreign(request);
  if (reason !== null) return { status: '403 Forbidden', reason };
  if (request.url !== socketPath) {
    // Without the query: somebody may have put the token there, and it must not get into the log.
    const path = request.url?.split('?', 1)[0];
    return { status: '404 Not Found', reason: `no socket at ${shown(path)}` };
  }
  if (!maySpeak(request, token))
    return { status: '401 Unauthorized', reason: 'wrong or missing token' };
  return null;
}

function refuseUpgrade(stream: Duplex, { status, reason }: Refusal, log: Log): void {
  log('warning', `A socket was refused: ${reason}.`);
  stream.on('error', () => undefined); // It may have gone away; it is refused all the same.
  stream.once('finish', () => stream.destroy()); // Whoever keeps its end open holds no connection.
  stream.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** A page that does not answer the closing handshake within a second is cut off. */
async function closeAll(server: Server, sockets: WebSocketServer): Promise<void> {
  server.close();
  const closed = [...sockets.clients].map(
    (socket) => new Promise((resolve) => socket.once('close', resolve)),
  );
  for (const socket of sockets.clients) socket.close(closeCodes.stopped, 'stopped');
  const patience = setTimeout(() => {
    for (const socket of sockets.clients) socket.terminate();
  }, 1000);
  await Promise.all(closed);
  clearTimeout(patience);
  server.closeAllConnections();
}
