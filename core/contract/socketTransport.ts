/**
 * A transport over a WebSocket that stays connected: it connects again when the connection is lost
 * and says how it stands. It knows the platform's WebSocket only by shape, so that page, shell and
 * tests share it.
 */
import { fromErrorRecord, SwitchyardError } from './errors.ts';
import type { CoreEvent, Transport } from './protocol.ts';
import { closeCodes, subprotocol, type ClientFrame, type Hello, type ServerFrame } from './wire.ts';

/** The part of the platform's `WebSocket` that is used. */
export interface SocketLike {
  send(data: string): void;
  close(): void;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
}

export type ConnectionState =
  | { state: 'connecting' }
  | { state: 'connected'; hello: Hello }
  /** Lost or never had; tries again by itself. */
  | { state: 'disconnected' }
  /** Ended for good: the core was stopped, or `close` was called. */
  | { state: 'closed' };

export interface SocketTransport extends Transport {
  /** Ends the connection for good. */
  close(): void;
  /** Connects at once instead of at the next attempt. */
  retry(): void;
}

export interface SocketTransportOptions {
  /** Opens a socket, for example `(url, protocols) => new WebSocket(url, protocols)`. */
  open: (url: string, protocols: string[]) => SocketLike;
  url: string;
  token: string;
  onState: (state: ConnectionState) => void;
  setTimeout: (work: () => void, milliseconds: number) => unknown;
}

/** Waiting times between attempts, in milliseconds; the last one repeats. */
const delays = [100, 200, 400, 800, 1500];

interface Waiting {
  resolve: (result: unknown) => void;
  reject: (error: SwitchyardError) => void;
}

/** Starts to connect at once. Calls made while there is no connection reject with `interrupted`. */
export function createSocketTransport(options: SocketTransportOptions): SocketTransport {
  const listeners = new Set<(event: CoreEvent) => void>();
  const waiting = new Map<number, Waiting>();
  let socket: SocketLike | null = null;
  let ready = false;
  let closed = false;
  let attempt = 0;
  let generation = 0;
  let nextId = 1;

  const end = (code: number): void => {
    socket = null;
    ready = false;
    const lost = new SwitchyardError(
      'interrupted',
      'The connection to Switchyard’s core was lost before it answered. Whether it did what was asked will show once it is back.',
    );
    for (const { reject } of waiting.values()) reject(lost);
    waiting.clear();
    if (closed || code === closeCodes.stopped) {
      closed = true;
      options.onState({ state: 'closed' });
      return;
    }
    options.onState({ state: 'disconnected' });
    const mine = ++generation;
    const delay = delays[Math.min(attempt, delays.length - 1)];
    attempt += 1;
    options.setTimeout(() => {
      if (mine === generation) connect();
    }, delay);
  };

  const receive = (frame: ServerFrame): void => {
    if ('hello' in frame) {
      ready = true;
      attempt = 0;
      options.onState({ state: 'connected', hello: frame.hello });
    } else if ('events' in frame) {
      for (const event of frame.events) for (const listener of [...listeners]) listener(event);
    } else {
      const call = waiting.get(frame.id);
      waiting.delete(frame.id);
      if ('error' in frame) call?.reject(fromErrorRecord(frame.error));
      else call?.resolve(frame.result);
    }
  };

  const connect = (): void => {
    if (closed || socket !== null) return;
    generation += 1;
    options.onState({ state: 'connecting' });
    const opened = options.open(options.url, [subprotocol, options.token]);
    socket = opened;
    opened.onmessage = ({ data }) => receive(JSON.parse(String(data)) as ServerFrame);
    opened.onclose = ({ code }) => end(code);
  };

  const send = (frame: ClientFrame): void => socket?.send(JSON.stringify(frame));

  connect();
  return {
    call: (method, input, signal) =>
      new Promise((resolve, reject) => {
        if (!ready) {
          reject(
            new SwitchyardError(
              'interrupted',
              'There is no connection to Switchyard’s core at the moment.',
            ),
          );
          return;
        }
        const id = nextId++;
        const cancel = (): void => send({ cancel: id });
        const settled = (): void => signal?.removeEventListener('abort', cancel);
        waiting.set(id, {
          resolve: (result) => {
            settled();
            resolve(result);
          },
          reject: (error) => {
            settled();
            reject(error);
          },
        });
        send({ id, method, input });
        if (signal?.aborted === true) cancel();
        else signal?.addEventListener('abort', cancel, { once: true });
      }),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    retry: () => {
      attempt = 0;
      connect();
    },
    close: () => {
      closed = true;
      if (socket === null) options.onState({ state: 'closed' });
      else socket.close();
    },
  };
}
