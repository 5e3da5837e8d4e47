/** A process that trains is killed without warning; what another process then finds, and goes on from. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { PartialConfig } from '../contract/config.ts';
import type { BackendName } from '../contract/records.ts';
import { openCore } from './openCore.ts';
import {
  assertSameCurve,
  createTinyRun,
  curve,
  temporaryHome,
  untilEnded,
} from './testing/tinyRun.ts';

const script = fileURLToPath(new URL('./testing/trainUntilKilled.ts', import.meta.url));

type Training = NonNullable<PartialConfig['training']>;

/** Trains in a process of its own and kills it once step `last` is recorded. */
async function trainAndKill(
  home: string,
  backend: BackendName,
  training: Training,
  last: number,
): Promise<void> {
  const child = spawn(process.execPath, [script, home, backend, JSON.stringify(training)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const gone = new Promise((resolve) => child.on('exit', resolve));
  for await (const line of createInterface({ input: child.stdout }))
    if (line.startsWith('step ') && Number(line.slice(5)) >= last) child.kill('SIGKILL');
  await gone;
  assert.equal(child.signalCode, 'SIGKILL', 'the child ended by itself');
}

describe('kill -9 while training', { concurrency: false }, () => {
  // The best checkpoint is written after a validation, so there is none before that either.
  const training = (steps: number, checkpointEvery: number) => ({
    steps,
    evaluateEvery: steps,
    checkpointEvery,
  });
  const cases = [
    { backend: 'cpu', what: 'after a checkpoint', training: training(150, 10), last: 20 },
    { backend: 'cpu', what: 'before the first one', training: training(150, 150), last: 1 },
    { backend: 'wasm', what: 'after a checkpoint', training: training(600, 50), last: 60 },
    { backend: 'tensorflow', what: 'after a checkpoint', training: training(400, 50), last: 60 },
  ] as const;
  for (const { backend, what, training, last } of cases)
    test(`${backend}, ${what}: resumed, the run has the curve of one that was not killed`, async (context) => {
      const { home, remove } = temporaryHome();
      const core = openCore({ home });
      const reports = await core.client.call('devices.list', {});
      const report = reports.find((device) => device.backend === backend);
      if (report?.available !== true) {
        context.skip(report?.reason ?? 'This version does not have it.');
        return;
      }
      await trainAndKill(home, backend, training, last);

      const next = openCore({ home });
      const logs: string[] = [];
      next.subscribe((event) => {
        if (event.type === 'run-log') logs.push(event.message);
      });
      const run = await next.client.call('runs.get', { run: 'killed' });
      assert.equal(run.status, 'interrupted');
      assert.deepEqual(next.recovered, [{ id: run.id, was: 'running' }]);
      assert.ok(run.step >= last && run.step < training.steps, `killed at step ${run.step}`);

      await next.client.call('runs.resume', { run: 'killed' });
      const finished = await untilEnded(next, run.id);
      assert.equal(finished.status, 'finished', finished.error?.message);
      const afresh = logs.some((message) => message.includes('begins again at step 1'));
      assert.equal(afresh, last === 1);

      const whole = await createTinyRun(next, training, 'whole', backend);
      await untilEnded(next, whole.id);
      assertSameCurve(await curve(next, run.id), await curve(next, whole.id), backend);
      await next.close();
      await core.close();
      remove();
    });

  test('a core that was open all the time stops such a run as interrupted, and can delete it', async () => {
    const { home, remove } = temporaryHome();
    const core = openCore({ home });
    await trainAndKill(home, 'cpu', training(150, 10), 20);
    const changes: string[] = [];
    core.subscribe((event) => {
      if (event.type === 'run-changed') changes.push(event.run.status);
    });
    const { id, status } = await core.client.call('runs.get', { run: 'killed' });
    assert.equal(status, 'running');
    await assert.rejects(core.client.call('runs.remove', { run: id }), /Stop it first/);
    assert.equal((await core.client.call('runs.stop', { run: id })).status, 'interrupted');
    assert.deepEqual(changes, ['interrupted']);
    await core.client.call('runs.remove', { run: id });
    await core.close();
    remove();
  });
});
