/** `serve` as people and scripts use it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { CliUnderTest } from './testing/runCli.ts';

const cli = new CliUnderTest();
after(() => cli.remove());

test('serves the page at the address that it prints, until Ctrl-C', async () => {
  const { child, finished } = cli.start('serve', '--no-open', '--port', '0', '--json');
  const lines = createInterface(child.stdout);
  const [line] = (await once(lines, 'line')) as [string];
  const record = JSON.parse(line) as { type: string; url: string; port: number };
  const { origin, hash } = new URL(record.url);
  assert.deepEqual([record.type, origin], ['serving', `http://127.0.0.1:${record.port}`]);
  const page = await fetch(origin);
  assert.match(await page.text(), /<title>Switchyard/u);
  const authorization = `Bearer ${hash.replace('#token=', '')}`;
  assert.equal((await fetch(`${origin}/session`, { headers: { authorization } })).status, 204);
  child.kill('SIGINT');
  const { code, stderr } = await finished;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /Stopping; runs that train write a checkpoint first\./u);
});

test('a port that is taken or impossible gets its sentence', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const port = String((other.address() as AddressInfo).port);
  const taken = await cli.run('serve', '--no-open', '--port', port);
  assert.equal(taken.code, 1);
  assert.match(taken.stderr, new RegExp(`^(Building .*\n)?Port ${port} is taken`, 'u'));
  other.close();
  const impossible = await cli.run('serve', '--no-open', '--port', '70000');
  assert.equal(impossible.code, 1);
  assert.match(impossible.stderr, /^--port is 70000, but must be a whole number from 0/u);
});

test('without a command and without a display, it says why and serves', async () => {
  process.env['CI'] = '1'; // inherited by the command: there is nobody to look at a window
  const { child, finished } = cli.start();
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  assert.match((await lines.next()).value ?? '', /^There is no display for a window/u);
  for (;;) {
    const { value, done } = await lines.next();
    if (done === true || value.startsWith('Switchyard is at http://127.0.0.1:')) break;
  }
  child.kill('SIGINT');
  assert.equal((await finished).code, 0);
});
