/** One page's connection: its calls, each answered by its id, and the core's events a few times a second. */
import type { RawData, WebSocket } from 'ws';
import type { Core } from '../api/openCore.ts';
import { SwitchyardError, toErrorRecord } from '../contract/errors.ts';
import type { MethodName } from '../contract/protocol.ts';
import { closeCodes, type ClientFrame, type Hello, type ServerFrame } from '../contract/wire.ts';
import { createEventCollector } from './coalesce.ts';
import type { Log } from './log.ts';

/** Milliseconds between frames of events. */
const eventsEvery = 100;
/** Bytes that may wait in the socket before events are held back. */
const mostBuffered = 2 ** 20;
/** Events and step metrics that may be held back before the page is told to start over. */
const mostHeldBack = 20_000;
/** Bytes of answers that may wait in the socket of a page that goes on asking. */
const mostUnread = 64 * 2 ** 20;
const mostCalls = 200;
/** No method's name comes near; a name of megabytes need not be compared with them. */
const longestMethod = 100;

/**
 * Serves a socket whose opener was admitted, until either side closes it. Calls still under way then
 * go on: only `cancel` cancels.
 */
export function serveSocket(socket: WebSocket, core: Core, hello: Hello, log: Log): void {
  const calls = new Map<number, AbortController>();
  const collector = createEventCollector();
  const send = (frame: ServerFrame): void => {
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(frame));
  };
  const sendEvents = (): void => {
    if (collector.size > 0 && socket.bufferedAmount <= mostBuffered)
      send({ events: collector.take() });
  };
  const refuse = (reason: string): void => {
    log('warning', `A connection was closed: ${reason}.`);
    socket.close(closeCodes.malformed, 'malformed');
  };

  const call = async (id: number, method: string, input: unknown): Promise<void> => {
    const controller = new AbortController();
    calls.set(id, controller);
    let frame: ServerFrame;
    try {
      const result = await core.call(method as MethodName, input, controller.signal);
      frame = { id, result: result ?? null };
    } catch (error) {
      frame = { id, error: toErrorRecord(error) };
      if (frame.error.code === 'internal')
        log('error', `${method} failed: ${frame.error.stack ?? frame.error.message}`);
    }
    calls.delete(id);
    sendEvents(); // What the call caused comes before its answer.
    send(frame);
  };

  const receive = (data: RawData, isBinary: boolean): void => {
    if (socket.readyState !== socket.OPEN) return;
    const frame = isBinary ? null : readFrame(data);
    if (frame === null) refuse('it sent a frame that is not of the protocol');
    else if (socket.bufferedAmount > mostUnread) giveUp();
    else if ('cancel' in frame) calls.get(frame.cancel)?.abort();
    else if (calls.has(frame.id)) refuse(`it used the id ${frame.id} for two calls at once`);
    else if (calls.size >= mostCalls) send({ id: frame.id, error: toErrorRecord(tooManyCalls()) });
    else void call(frame.id, frame.method, frame.input);
  };

  send({ hello });
  const unsubscribe = core.subscribe((event) => collector.add(event));
  const timer = setInterval(() => {
    sendEvents();
    if (collector.size > mostHeldBack) giveUp();
  }, eventsEvery);
  const stop = (): void => {
    clearInterval(timer);
    unsubscribe();
  };
  const giveUp = (): void => {
    log('warning', 'A connection was closed: it reads too slowly.');
    socket.close(closeCodes.tooSlow, 'too slow');
    stop();
  };
  socket.on('message', receive);
  socket.on('error', (error) => log('warning', `A connection failed: ${error.message}.`));
  socket.on('close', stop);
}

/** A frame of the protocol, or null for anything else. */
function readFrame(data: RawData): ClientFrame | null {
  let frame: unknown;
  try {
    frame = JSON.parse((data as Buffer).toString('utf8'));
  } catch {
    return null;
  }
  if (typeof frame !== 'object' || frame === null) return null;
  if ('cancel' in frame) return isId(frame.cancel) ? { cancel: frame.cancel } : null;
  if (!('id' in frame) || !isId(frame.id)) return null;
  if (!('method' in frame) || typeof frame.method !== 'string') return null;
  if (frame.method.length > longestMethod) return null;
  return { id: frame.id, method: frame.method, input: 'input' in frame ? frame.input : undefined };
}

function isId(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function tooManyCalls(): SwitchyardError {
  return new SwitchyardError(
    'conflict',
    `This connection has ${mostCalls} calls waiting already, and may have no more. Wait for answers first.`,
  );
}
