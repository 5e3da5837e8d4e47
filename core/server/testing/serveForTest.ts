/** A real core behind a real server, in a data directory of its own, with a page of two files. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import {
  request as httpRequest,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http';
import { join } from 'node:path';
import { openCore, type Core } from '../../api/openCore.ts';
import { temporaryHome } from '../../api/testing/tinyRun.ts';
import { createClient, type Client } from '../../contract/protocol.ts';
import { createSocketTransport, type SocketLike } from '../../contract/socketTransport.ts';
import type { Hello } from '../../contract/wire.ts';
import { serveCore, type Served } from '../listen.ts';
import { openServerLog } from '../log.ts';

export const token = 'a-token-of-the-tests';
export const ticket = 'a-ticket-of-the-tests';

export interface ServerUnderTest {
  readonly core: Core;
  readonly served: Served;
  readonly home: string;
  /** The server's log so far. */
  log(): string;
  close(): Promise<void>;
}

export async function serveForTest(): Promise<ServerUnderTest> {
  const { home, remove } = temporaryHome();
  const renderer = join(home, 'page');
  mkdirSync(join(renderer, 'assets'), { recursive: true });
  writeFileSync(join(renderer, 'index.html'), '<!doctype html><title>Page</title>');
  writeFileSync(join(renderer, 'assets', 'main-abc123.js'), 'export {};');
  const core = openCore({ home });
  const log = openServerLog(join(home, 'logs'));
  const restarted = null;
  const served = await serveCore({
    core,
    token,
    ticket,
    port: 0,
    renderer,
    instance: 'one',
    restarted,
    log,
  });
  return {
    core,
    served,
    home,
    log: () => readFileSync(join(home, 'logs', 'server.log'), { encoding: 'utf8', flag: 'a+' }),
    close: async () => {
      await core.close();
      await served.close();
      remove();
    },
  };
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** One request with exactly this path and these headers; fetch would tidy them up. */
export function ask(
  port: number,
  method: string,
  path: string,
  headers: OutgoingHttpHeaders = {},
  body?: string | Buffer,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: '127.0.0.1', port, method, path, headers, agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
        });
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

export const bearer = { Authorization: `Bearer ${token}` };

/** A client over a socket, once it is connected, and what it was greeted with; `closed` resolves when the core was stopped. */
export async function connectTo(
  port: number,
  word = token,
): Promise<{ client: Client; hello: Hello; closed: Promise<undefined>; close: () => void }> {
  const connected = Promise.withResolvers<Hello>();
  const closed = Promise.withResolvers<undefined>();
  const transport = createSocketTransport({
    open: (url, protocols) => new WebSocket(url, protocols) as SocketLike,
    url: `ws://127.0.0.1:${port}/socket`,
    token: word,
    setTimeout: (work, milliseconds) => setTimeout(work, milliseconds),
    onState: (state) => {
      if (state.state === 'connected') connected.resolve(state.hello);
      if (state.state === 'closed') closed.resolve(undefined);
    },
  });
  const hello = await connected.promise;
  return {
    hello,
    client: createClient(transport),
    closed: closed.promise,
    close: () => transport.close(),
  };
}

/** The process that last said in its log that it serves. */
export function processOf(home: string): number {
  const log = readFileSync(join(home, 'logs', 'server.log'), 'utf8');
  return Number([...log.matchAll(/serves on port \d+, process (\d+)\./gu)].at(-1)?.[1]);
}
