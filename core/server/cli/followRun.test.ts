/** Endings that a real run does not reach on demand, over a client that only plays events. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { test } from 'node:test';
import { SwitchyardError } from '../../contract/errors.ts';
import { createClient, type CoreEvent } from '../../contract/protocol.ts';
import type { Run } from '../../contract/records.ts';
import { freshRun } from '../../contract/testing/runRecord.ts';
import { resolveConfig } from '../../contract/resolveConfig.ts';
import { followRun } from './followRun.ts';
import { Output } from './output.ts';

const queued = freshRun({ name: 'one', parameters: 1000 });

/** Follows a run whose events come before its start returns, after it, or both. */
async function follow(before: CoreEvent[], later: CoreEvent[]) {
  const listeners = new Set<(event: CoreEvent) => void>();
  const emit = (events: CoreEvent[]): void =>
    events.forEach((event) => listeners.forEach((listener) => listener(event)));
  const client = createClient({
    call: () => Promise.reject(new Error('nothing is called')),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  });
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const out = new Output({
    json: false,
    stdout: stdout as unknown as WriteStream,
    stderr: stderr as unknown as WriteStream,
  });
  const start = (): Promise<Run> => {
    emit(before);
    setImmediate(() => emit(later));
    return Promise.resolve(queued);
  };
  const ending = await followRun(client, { out, home: undefined }, start).then(
    (code) => ({ code, error: undefined }),
    (error: unknown) => ({ code: undefined, error }),
  );
  assert.equal(listeners.size, 0, 'it no longer listens');
  assert.equal(process.listenerCount('SIGINT'), 0, 'Ctrl-C works as before');
  return { ...ending, stdout: String(stdout.read()), stderr: String(stderr.read() ?? '') };
}

test('a run that diverges ends with its own error and says how to go on', async () => {
  const error = { code: 'diverged', message: 'The loss became NaN at step 7.' } as const;
  const failed: Run = { ...queued, status: 'failed', step: 6, error };
  const log = { type: 'run-log', runId: 'r-1', level: 'error', time: '' } as const;
  const result = await follow(
    [],
    [
      { ...log, message: error.message }, // logged as well, but told once: by whoever catches it
      { type: 'run-changed', run: failed },
    ],
  );
  assert.ok(result.error instanceof SwitchyardError);
  assert.equal(result.error.code, 'diverged');
  assert.match(result.stdout, /^Failed at step 6 of 600/mu);
  assert.equal(result.stderr, 'Continue with: switchyard resume r-1\n');
});

test('a run that ends before its start returns is not waited for', async () => {
  const finished: Run = { ...queued, status: 'finished', step: 600 };
  const { code, stdout } = await follow([{ type: 'run-changed', run: finished }], []);
  assert.equal(code, 0);
  assert.match(stdout, /^Finished at step 600 of 600/mu);
});

test('validations of a classifier show its accuracy, and nothing is said of sampling', async () => {
  const config = resolveConfig({ model: { task: 'classification' } });
  const metric = { step: 300, loss: 0.5, accuracy: 0.875, tokens: 2000, milliseconds: 1500 };
  const { stdout } = await follow(
    [],
    [
      { type: 'run-changed', run: { ...queued, config, status: 'running' } },
      { type: 'run-validation', runId: 'r-1', validation: metric },
      {
        type: 'run-changed',
        run: {
          ...queued,
          config,
          status: 'finished',
          step: 600,
          bestValidationLoss: 0.5,
          lastValidationLoss: 0.5,
          bestAccuracy: 0.875,
          lastAccuracy: 0.85,
        },
      },
    ],
  );
  assert.match(stdout, /^step 300\/600 .*accuracy 87\.5 % +\(2,000 examples in 1\.5 s\)/mu);
  assert.match(stdout, /^Best validation accuracy 87\.5 %; last 85\.0 %\.$/mu);
  assert.match(stdout, /nats\/example/u);
  assert.doesNotMatch(stdout, /sample|bits/u);
});

test('a loss on bytes is also told in bits per byte', async () => {
  const loss = { bestValidationLoss: Math.log(8), bestStep: 500, lastValidationLoss: 2.2 };
  const finished: Run = { ...queued, ...loss, status: 'finished', step: 600 };
  const { stdout } = await follow([{ type: 'run-changed', run: finished }], []);
  assert.match(
    stdout,
    /^Best validation loss 2\.0794 nats\/token \(3\.000 bits per byte\) at step 500; last 2\.2000\.$/mu,
  );
});

test('events of other runs are not shown', async () => {
  const other: Run = { ...queued, id: 'r-2', status: 'failed' };
  const log = { type: 'run-log', level: 'warning', message: 'not mine', time: '' } as const;
  const { code, stderr } = await follow(
    [{ ...log, runId: 'r-2' }],
    [
      { type: 'run-changed', run: other },
      { ...log, runId: 'r-1', message: 'mine' },
      { type: 'run-changed', run: { ...queued, status: 'finished', step: 600 } },
    ],
  );
  assert.equal(code, 0);
  assert.equal(stderr, 'mine\n');
});
