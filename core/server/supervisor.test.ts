/** The core as a supervised process: crashes, restarts within bounds, and its end. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test, type TestContext } from 'node:test';
import { temporaryHome, textFile, tinyConfig } from '../api/testing/tinyRun.ts';
import type { Client } from '../contract/protocol.ts';
import { isActive, type Run } from '../contract/records.ts';
import { startSupervisor, type Supervisor, type SupervisorState } from './supervisor.ts';
import { connectTo, processOf } from './testing/serveForTest.ts';

interface Supervised {
  readonly home: string;
  readonly supervisor: Supervisor;
  readonly states: SupervisorState[];
  /** Resolves with the next state of that kind, or with one since `from` that was already reported. */
  readonly until: <S extends SupervisorState['state']>(
    state: S,
    from?: number,
  ) => Promise<Extract<SupervisorState, { state: S }>>;
}

interface Options {
  entry?: string;
  port?: number;
  anyPort?: boolean;
}

/** Prepares a home, starts a supervisor over it, and ends both with the test. */
function supervise(
  context: TestContext,
  options: Options = {},
  prepare: (home: string) => void = () => undefined,
): Supervised {
  const { home, remove } = temporaryHome();
  prepare(home);
  const states: SupervisorState[] = [];
  let tell = (): void => undefined;
  const supervisor = startSupervisor({
    ...options,
    node: process.execPath,
    home,
    onState: (state) => {
      states.push(state);
      tell();
    },
  });
  context.after(async () => {
    await supervisor.stop();
    remove();
  });
  return {
    home,
    supervisor,
    states,
    until: (state, from = 0) =>
      new Promise((resolve) => {
        tell = () => {
          const found = states.slice(from).find((candidate) => candidate.state === state);
          if (found !== undefined)
            resolve(found as Extract<SupervisorState, { state: typeof state }>);
        };
        tell();
      }),
  };
}

/** Asks again and again until it holds. */
async function polled<T>(look: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await look();
    if (holds(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Starts a run that does not end by itself, with checkpoints only when asked; returns its id once it trains. */
async function trainWithoutEnd(client: Client): Promise<string> {
  const dataset = await client.call('datasets.import', { path: textFile });
  const config = tinyConfig({ steps: 100_000, evaluateEvery: 100_000, checkpointEvery: 100_000 });
  const { id } = await client.call('runs.create', { config, dataset: dataset.id, backend: 'cpu' });
  await polled(
    () => client.call('runs.get', { run: id }),
    ({ step }) => step >= 5,
  );
  return id;
}

describe('a supervised core', () => {
  test('killed while it trains, it comes back at the same place and the run goes on', async (context) => {
    const core = supervise(context);
    const first = await core.until('serving');
    const { client, close } = await connectTo(first.port, first.token);
    const dataset = await client.call('datasets.import', { path: textFile });
    const training = { steps: 150, evaluateEvery: 75, checkpointEvery: 20 };
    const config = tinyConfig(training);
    const created = await client.call('runs.create', {
      config,
      dataset: dataset.id,
      backend: 'cpu',
    });
    const get = (): Promise<Run> => client.call('runs.get', { run: created.id });
    await polled(get, ({ step }) => step >= 30);
    const mark = core.states.length;
    process.kill(processOf(core.home), 'SIGKILL');

    const restarting = await core.until('restarting', mark);
    assert.deepEqual(restarting, {
      state: 'restarting',
      reason: 'The core was ended by the signal SIGKILL.',
      attempt: 1,
    });
    assert.deepEqual(await core.until('serving', mark), first);
    const again = await connectTo(first.port, first.token);
    const look = (): Promise<Run> => again.client.call('runs.get', { run: created.id });
    const finished = await polled(
      look,
      ({ status }) => !isActive(status) && status !== 'interrupted',
    );
    assert.equal(finished.status, 'finished', finished.error?.message);
    const { steps } = await again.client.call('runs.metrics', { run: created.id });
    assert.deepEqual(
      steps.map(({ step }) => step),
      steps.map((_, i) => i + 1),
    );
    assert.equal(steps.length, 150);
    close();
    again.close();
  });

  test('killed while a run is paused, it says that this one waits, and lets it wait', async (context) => {
    const core = supervise(context);
    const { port, token } = await core.until('serving');
    const { client, close } = await connectTo(port, token);
    const id = await trainWithoutEnd(client);
    const paused = await client.call('runs.pause', { run: id });
    const mark = core.states.length;
    process.kill(processOf(core.home), 'SIGKILL');
    await core.until('serving', mark);
    const again = await connectTo(port, token);
    assert.match(again.hello.restarted ?? '', /goes on .* What was paused waits to be resumed\.$/u);
    const run = await again.client.call('runs.get', { run: id });
    assert.deepEqual([run.status, run.step], ['interrupted', paused.step]);
    close();
    again.close();
  });

  test('stopped, it writes checkpoints and tells pages that it is over', async (context) => {
    const core = supervise(context);
    const { port, token } = await core.until('serving');
    const { client, closed } = await connectTo(port, token);
    await trainWithoutEnd(client);
    await core.supervisor.stop();
    await closed;
    assert.deepEqual(core.states.at(-1), { state: 'stopped' });
    const database = new DatabaseSync(join(core.home, 'switchyard.db'), { readOnly: true });
    const row = database
      .prepare('SELECT status, (SELECT count(*) FROM checkpoints) AS kept FROM runs')
      .get();
    database.close();
    assert.equal(row?.['status'], 'stopped');
    assert.ok(Number(row?.['kept']) > 0);
  });

  test('a second stop kills a core that does not end', async (context) => {
    const { home, remove } = temporaryHome();
    context.after(remove);
    const entry = join(home, 'stubborn.mjs');
    const ready = `{ type: 'ready', port: 1, instance: 'x' }`;
    writeFileSync(
      entry,
      `process.on('message', ({ type }) => type === 'start' && process.send(${ready}));`,
    );
    const core = supervise(context, { entry });
    await core.until('serving');
    void core.supervisor.stop();
    await core.supervisor.stop();
    assert.deepEqual(core.states.at(-1), { state: 'stopped' });
  });

  test('one that crashes again and again is given up, the last time without resuming', async (context) => {
    const { home, remove } = temporaryHome();
    context.after(remove);
    const entry = join(home, 'crashing.mjs');
    const note = `appendFileSync(${JSON.stringify(join(home, 'starts'))}, String(resume) + ' ')`;
    writeFileSync(
      entry,
      `import { appendFileSync } from 'node:fs';
       process.on('message', ({ resume }) => { ${note}; process.kill(process.pid, 'SIGKILL'); });`,
    );
    const core = supervise(context, { entry });
    const { error } = await core.until('failed');
    assert.match(
      error.message,
      /^The core crashed 5 times within 10 minutes and is not started again\./u,
    );
    const attempts = core.states.flatMap((state) =>
      state.state === 'restarting' ? [state.attempt] : [],
    );
    assert.deepEqual(attempts, [1, 2, 3, 4]);
    assert.equal(readFileSync(join(home, 'starts'), 'utf8'), 'false true true true false ');
  });
});

describe('a core that cannot start is reported in a sentence, and not tried again', () => {
  test('a newer database', async (context) => {
    const core = supervise(context, {}, (home) => {
      mkdirSync(home, { recursive: true });
      const database = new DatabaseSync(join(home, 'switchyard.db'));
      database.exec('CREATE TABLE runs (id TEXT); PRAGMA user_version = 9999');
      database.close();
    });
    const { error } = await core.until('failed');
    assert.equal(error.code, 'newer-database', error.message);
    assert.ok(!core.states.some(({ state }) => state === 'restarting'));
  });

  test('a port that is taken; any other will do where that was said', async (context) => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    context.after(() => void other.close());
    const port = (other.address() as { port: number }).port;
    const { error } = await supervise(context, { port }).until('failed');
    assert.equal(error.code, 'conflict');
    assert.match(error.message, new RegExp(`^Port ${port} is taken`, 'u'));
    const serving = await supervise(context, { port, anyPort: true }).until('serving');
    assert.notEqual(serving.port, port);
  });

  test('a Node binary that is not there', async (context) => {
    const { home, remove } = temporaryHome();
    context.after(remove);
    const failed = Promise.withResolvers<SupervisorState>();
    const node = join(home, 'no-node');
    assert.ok(!existsSync(node));
    startSupervisor({
      node,
      home,
      onState: (state) => {
        if (state.state === 'failed') failed.resolve(state);
      },
    });
    const state = await failed.promise;
    assert.match(
      state.state === 'failed' ? state.error.message : '',
      /cannot be started with .*no-node/u,
    );
  });
});
