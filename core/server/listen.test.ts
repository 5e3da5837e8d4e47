/** The server over real sockets: who is refused, what pages get, calls and events end to end. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { WebSocket as Socket } from 'ws';
import { importText, textFile, tinyConfig, untilEnded } from '../api/testing/tinyRun.ts';
import type { CoreEvent } from '../contract/protocol.ts';
import {
  closeCodes,
  longestFrame,
  subprotocol,
  type ServerFrame,
  type Uploaded,
} from '../contract/wire.ts';
import {
  ask,
  bearer,
  connectTo,
  serveForTest,
  ticket,
  token,
  type ServerUnderTest,
} from './testing/serveForTest.ts';

let server: ServerUnderTest;
let port = 0;
before(async () => {
  server = await serveForTest();
  port = server.served.port;
});
after(() => server.close());

/** How the opening of a socket ended: its HTTP status, or `open`. */
async function opening(
  protocols: string[],
  options: { headers?: Record<string, string>; path?: string; origin?: string },
): Promise<number | 'open'> {
  const { path = '/socket', ...rest } = options;
  const socket = new Socket(`ws://127.0.0.1:${port}${path}`, protocols, rest);
  return new Promise((resolve) => {
    socket.on('open', () => {
      socket.close();
      resolve('open');
    });
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
    socket.on('error', () => undefined);
  });
}

describe('who is refused', () => {
  const own = () => `http://127.0.0.1:${port}`;
  for (const [what, headers] of Object.entries({
    'a foreign Origin': { Origin: 'http://evil.example' },
    'an Origin of another port of this machine': { Origin: 'http://127.0.0.1:1' },
    'no origin at all': { Origin: 'null' },
    'a foreign Host': { Host: 'evil.example' },
    'a Host that begins like ours': { Host: '127.0.0.1.evil.example' },
    'an address of the network': { Host: '0.0.0.0' },
  }))
    test(`${what}: 403 with the right token, for pages, calls and sockets`, async () => {
      for (const path of ['/', '/session'])
        assert.equal((await ask(port, 'GET', path, { ...bearer, ...headers })).status, 403);
      assert.equal(await opening([subprotocol, token], { headers }), 403);
      assert.match(server.log(), /refused: foreign (Host|Origin)/u);
    });

  test('our own names and origins are accepted, also through a tunnel’s port', async () => {
    for (const headers of [
      { Host: 'localhost:9999', Origin: 'http://localhost:9999' },
      { Host: '127.0.0.1' },
      { Origin: own() },
      { Origin: 'app://switchyard' },
    ]) {
      assert.equal((await ask(port, 'GET', '/session', { ...bearer, ...headers })).status, 204);
      assert.equal(await opening([subprotocol, token], { headers }), 'open');
    }
  });

  test('a missing or wrong token: 401 for everything but the page', async () => {
    const wrong = { Authorization: 'Bearer wrong' };
    for (const headers of [{}, wrong, { Authorization: `Basic ${token}` }]) {
      assert.equal((await ask(port, 'GET', '/session', headers)).status, 401);
      assert.equal((await ask(port, 'GET', '/exports/a/b', headers)).status, 401);
      assert.equal((await ask(port, 'POST', '/uploads?name=a.txt', headers, 'text')).status, 401);
    }
    assert.equal((await ask(port, 'GET', `/session?token=${token}`)).status, 401);
    for (const protocols of [[], [subprotocol], [subprotocol, 'wrong'], ['other', token]])
      assert.equal(await opening(protocols, {}), 401);
    assert.equal(await opening([subprotocol, token], { path: '/elsewhere' }), 404);
    assert.deepEqual(readdirSync(join(server.home, 'uploads')), []);
    assert.match(server.log(), /wrong or missing token/u);
    assert.ok(!server.log().includes(token));
  });
});

describe('the page', () => {
  test('is served without a token, under strict headers', async () => {
    const index = await ask(port, 'GET', '/');
    assert.equal(index.status, 200);
    assert.match(index.body, /<title>Page/u);
    assert.equal(index.headers['cache-control'], 'no-store');
    assert.match(
      String(index.headers['content-security-policy']),
      /^default-src 'none'; script-src 'self';/u,
    );
    assert.equal(index.headers['x-content-type-options'], 'nosniff');
    assert.equal(index.headers['access-control-allow-origin'], undefined);
    const script = await ask(port, 'GET', '/assets/main-abc123.js');
    assert.match(String(script.headers['content-type']), /^text\/javascript/u);
    assert.match(String(script.headers['cache-control']), /immutable/u);
    const head = await ask(port, 'HEAD', '/');
    assert.deepEqual([head.status, head.body], [200, '']);
  });

  test('no path leaves its folder, and nothing else is there', async () => {
    for (const path of [
      ...[
        '/../switchyard.db',
        '/..%2fswitchyard.db',
        '/assets/../../switchyard.db',
        '/%2e%2e/switchyard.db',
      ],
      ...[
        '/assets/..%5c..%5cswitchyard.db',
        '//etc/passwd',
        '/assets',
        '/assets/',
        '/index.html/',
        '/runs',
      ],
    ])
      assert.equal((await ask(port, 'GET', path)).status, 404, path);
    assert.equal((await ask(port, 'POST', '/')).status, 404);
    assert.equal((await ask(port, 'DELETE', '/uploads', bearer)).status, 404);
  });
});

describe('frames', () => {
  /** Sends one frame on a fresh connection and waits for its end. */
  async function closedBy(data: string | Buffer): Promise<number> {
    const socket = new Socket(`ws://127.0.0.1:${port}/socket`, [subprotocol, token]);
    await once(socket, 'message'); // hello
    socket.send(data);
    const [code] = (await once(socket, 'close')) as [number];
    return code;
  }

  test('anything that is not of the protocol ends the connection, and is logged', async () => {
    const wrong = [
      '',
      'no json',
      '[]',
      'null',
      '1',
      '{}',
      '{"id":1}',
      '{"id":-1,"method":"runs.list"}',
    ];
    const more = [
      '{"id":1.5,"method":"runs.list"}',
      '{"id":"1","method":"runs.list"}',
      '{"cancel":"1"}',
    ];
    const long = JSON.stringify({ id: 1, method: 'm'.repeat(10_000) });
    for (const frame of [...wrong, ...more, '{"id":1,"method":3}', long, Buffer.from('{"id":1}')])
      assert.equal(await closedBy(frame), closeCodes.malformed, String(frame).slice(0, 50));
    assert.match(server.log(), /not of the protocol/u);
  });

  test('one that is too long ends the connection', async () => {
    const input = 'x'.repeat(longestFrame);
    assert.equal(await closedBy(JSON.stringify({ id: 1, method: 'runs.list', input })), 1009);
    assert.match(server.log(), /A connection failed/u);
  });

  test('a ticket opens the page with its token once; after that, and for a wrong one, without', async () => {
    const open = async (given: string): Promise<unknown> => {
      const { status, headers } = await ask(port, 'GET', `/open?ticket=${given}`);
      return [status, headers.location];
    };
    assert.deepEqual(await open('wrong'), [303, '/']);
    assert.deepEqual(await open(ticket), [303, `/#token=${token}`]);
    assert.deepEqual(await open(ticket), [303, '/']);
    assert.deepEqual(await open(''), [303, '/']);
    assert.match(server.log(), /wrong or used ticket/u);
    assert.ok(!server.log().includes(ticket));
  });

  test('a socket at a wrong address is refused, and a token in it reaches no log', async () => {
    const path = `/socket?token=${token}`;
    assert.equal(await opening([subprotocol, token], { path }), 404);
    assert.match(server.log(), /refused: no socket at "\/socket"\./u);
    assert.ok(!server.log().includes(token));
  });

  test('hello comes first; wrong calls are answered with sentences', async () => {
    const socket = new Socket(`ws://127.0.0.1:${port}/socket`, [subprotocol, token]);
    const [first] = (await once(socket, 'message')) as [Buffer];
    const { hello } = JSON.parse(first.toString()) as Extract<ServerFrame, { hello: unknown }>;
    assert.deepEqual([hello.instance, hello.home, hello.restarted], ['one', server.home, null]);
    assert.equal(socket.protocol, subprotocol);
    socket.close();

    const { client, close } = await connectTo(port);
    await assert.rejects(client.call('runs.lst' as 'runs.list', {}), {
      code: 'invalid-argument',
      message: 'There is no method "runs.lst". The nearest known one is "runs.list".',
    });
    await assert.rejects(client.call('runs.get', { run: 'nobody' }), { code: 'not-found' });
    close();
  });
});

describe('uploads', () => {
  const folder = () => readdirSync(join(server.home, 'uploads'));
  const upload = (name: string, body: string | Buffer, headers = {}) =>
    ask(port, 'POST', `/uploads?name=${encodeURIComponent(name)}`, { ...bearer, ...headers }, body);

  test('names that are none, or lead elsewhere, are refused', async () => {
    for (const name of [
      '',
      '.',
      '..',
      '../a',
      'a/b',
      'a\\b',
      'a\0b',
      'a\nb',
      'é'.repeat(101),
      'a.part',
    ]) {
      const { status, body } = await upload(name, 'text', { 'Content-Length': 4 });
      assert.equal(status, 400, name);
      assert.equal((JSON.parse(body) as { code: string }).code, 'invalid-argument');
    }
    assert.deepEqual(folder(), []);
  });

  test('without a length, or with more than the disk has: refused before reading', async () => {
    const chunked = await upload('a.txt', 'text', { 'Transfer-Encoding': 'chunked' });
    assert.equal(chunked.status, 411);
    const socket = connect(port, '127.0.0.1');
    socket.write(
      `POST /uploads?name=a.txt HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nContent-Length: 900000000000000\r\n\r\n`,
    );
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1\.1 507 /u);
    socket.destroy();
    assert.deepEqual(folder(), []);
  });

  test('one that is broken off leaves nothing', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write(
      `POST /uploads?name=a.txt HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nContent-Length: 1000\r\n\r\nhalf`,
    );
    while (folder().length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    socket.destroy();
    while (folder().length > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  });
});

test('a page uploads, imports, trains, follows and takes away', async () => {
  const { client, close } = await connectTo(port);
  const events: CoreEvent[] = [];
  client.subscribe((event) => events.push(event));
  const text = readFileSync(textFile).subarray(0, 200_000);
  const { status, body } = await ask(port, 'POST', '/uploads?name=a%20play.txt', bearer, text);
  assert.equal(status, 200);
  const uploaded = JSON.parse(body) as Uploaded;
  assert.equal(uploaded.bytes, text.length);
  assert.deepEqual(readFileSync(uploaded.path), text);

  const dataset = await client.call('datasets.import', { upload: uploaded.upload });
  assert.equal(dataset.name, 'a play');
  assert.ok(!existsSync(uploaded.path));
  assert.ok(events.some((event) => event.type === 'import-ended' && event.path === uploaded.path));

  const run = await client.call('runs.create', {
    config: tinyConfig(),
    dataset: dataset.id,
    backend: 'cpu',
  });
  await untilEnded(server.core, run.id);
  const { steps } = await client.call('runs.metrics', { run: run.id });
  assert.equal(steps.length, 20);
  const told = events.flatMap((event) => (event.type === 'run-steps' ? event.steps : []));
  assert.deepEqual(told, steps); // Events come before later answers.

  const { file } = await client.call('runs.exportPoints', { runs: [run.id] });
  const { exports } = await client.call('disk.usage', {});
  const [{ name, files }] = exports;
  const path = `/exports/${encodeURIComponent(name)}/${encodeURIComponent(files[0].name)}`;
  const download = await ask(port, 'GET', path, bearer);
  assert.equal(download.status, 200);
  assert.equal(download.body, readFileSync(file, 'utf8'));
  assert.match(
    String(download.headers['content-disposition']),
    /^attachment; filename=".*"; filename\*=UTF-8''/u,
  );

  const folder = await client.call('runs.export', { run: run.id, format: 'safetensors' });
  const exported = (await client.call('disk.usage', {})).exports.find(
    (one) => one.path === folder.folder,
  );
  for (const { name: inside, bytes } of exported?.files ?? []) {
    const answer = await ask(
      port,
      'GET',
      `/exports/${exported?.name}/${encodeURIComponent(inside)}`,
      bearer,
    );
    assert.deepEqual([answer.status, Number(answer.headers['content-length'])], [200, bytes]);
  }
  for (const other of [
    '../switchyard.db',
    '..%2f..%2fswitchyard.db',
    `${name}/..%2f..%2fswitchyard.db`,
    '%zz/a',
    name,
  ])
    assert.equal((await ask(port, 'GET', `/exports/${other}`, bearer)).status, 404, other);
  close();
});

test('a call can be cancelled', async () => {
  const { client, close } = await connectTo(port);
  await importText(server.core);
  const run = await client.call('runs.create', {
    config: tinyConfig({ steps: 1 }),
    dataset: 'shakespeare',
    backend: 'cpu',
  });
  await untilEnded(server.core, run.id);
  const controller = new AbortController();
  const sample = client.call(
    'runs.sample',
    { run: run.id, prompt: 'To', tokens: 100_000 },
    controller.signal,
  );
  client.subscribe((event) => {
    if (event.type === 'sample-token') controller.abort();
  });
  await assert.rejects(sample, { code: 'interrupted' });
  close();
});
