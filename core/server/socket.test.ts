/** A page that reads too slowly, or asks for too much at once. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { WebSocket as Socket, WebSocketServer } from 'ws';
import type { Core } from '../api/openCore.ts';
import type { CoreEvent } from '../contract/protocol.ts';
import { closeCodes, type Hello, type ServerFrame } from '../contract/wire.ts';
import { serveSocket } from './socket.ts';

/** A served socket whose core answers as given, else never, and tells what the test says. */
async function connection(
  answer: () => Promise<unknown> = () => new Promise<never>(() => undefined),
): Promise<{
  socket: Socket;
  emit: (event: CoreEvent) => void;
  close: () => void;
}> {
  let emit: (event: CoreEvent) => void = () => undefined;
  const core = {
    call: answer,
    subscribe: (listener: (event: CoreEvent) => void) => {
      emit = listener;
      return () => (emit = () => undefined);
    },
  } as unknown as Core;
  const server = createServer().listen(0, '127.0.0.1');
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    serveSocket(socket, core, { instance: 'one' } as Hello, () => undefined);
  });
  await once(server, 'listening');
  const socket = new Socket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await once(socket, 'message');
  return {
    socket,
    emit: (event) => emit(event),
    close: () => {
      socket.terminate();
      sockets.close();
      server.close();
    },
  };
}

test('a page that does not read is told to start over', async () => {
  const { socket, emit, close } = await connection();
  socket.pause();
  const text = 'x'.repeat(32 * 2 ** 20); // more than the system's own buffers hold
  emit({ type: 'sample-token', runId: 'a', text });
  await new Promise((resolve) => setTimeout(resolve, 300)); // the next frame is due
  const metric = { step: 1, loss: 1, gradientNorm: 1, learningRate: 1, milliseconds: 1, tokens: 1 };
  const step = { ...metric, tensorBytes: 1, rssBytes: 1, elapsedSeconds: 1 };
  emit({ type: 'run-steps', runId: 'a', steps: Array.from({ length: 20_001 }, () => step) });
  await new Promise((resolve) => setTimeout(resolve, 300));
  socket.resume();
  const [code] = (await once(socket, 'close')) as [number];
  assert.equal(code, closeCodes.tooSlow);
  close();
});

test('a page that goes on asking and does not read the answers is told to start over', async () => {
  const text = 'x'.repeat(16 * 2 ** 20);
  const { socket, close } = await connection(() => Promise.resolve(text));
  let answers = 0;
  socket.on('message', () => (answers += 1));
  socket.pause();
  for (let id = 1; id <= 20; id++)
    socket.send(JSON.stringify({ id, method: 'runs.list', input: {} }));
  await new Promise((resolve) => setTimeout(resolve, 500));
  socket.resume();
  const [code] = (await once(socket, 'close')) as [number];
  assert.equal(code, closeCodes.tooSlow);
  assert.ok(answers < 20, `${answers} answers`);
  close();
});

test('calls beyond two hundred at once are refused, each with an answer', async () => {
  const { socket, close } = await connection();
  for (let id = 0; id <= 200; id++)
    socket.send(JSON.stringify({ id, method: 'runs.list', input: {} }));
  const [data] = (await once(socket, 'message')) as [Buffer];
  const frame = JSON.parse(data.toString()) as Extract<ServerFrame, { error: unknown }>;
  assert.deepEqual([frame.id, frame.error.code], [200, 'conflict']);
  close();
});
