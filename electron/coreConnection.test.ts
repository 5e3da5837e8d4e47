import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { WebSocketServer } from 'ws';
import { subprotocol, type ServerFrame } from '../core/contract/wire.ts';
import { connectToCore } from './coreConnection.ts';

test('the connection asks for the protocol with its token, names no origin, and gets answers', async () => {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    handleProtocols: () => subprotocol,
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const asked = Promise.withResolvers<Record<string, string | undefined>>();
  server.on('connection', (socket, request) => {
    const send = (frame: ServerFrame): void => socket.send(JSON.stringify(frame));
    const { origin, 'sec-websocket-protocol': protocols } = request.headers;
    asked.resolve({ origin, protocols, url: request.url });
    send({
      hello: {
        instance: 'a',
        version: '1',
        home: '/h',
        platform: 'linux',
        sample: null,
        restarted: null,
      },
    });
    socket.on('message', () => send({ id: 1, result: [] }));
  });

  const connected = Promise.withResolvers<null>();
  const connection = connectToCore({ port, token: 'secret' }, ({ state }) => {
    if (state === 'connected') connected.resolve(null);
  });
  await connected.promise;
  assert.deepEqual(await asked.promise, {
    origin: undefined,
    protocols: `${subprotocol}, secret`,
    url: '/socket',
  });
  assert.deepEqual(await connection.client.call('runs.list', {}), []);
  connection.close();
  server.close();
});
