/** A process that trains is killed without warning; what another process then finds, and goes on from. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { PartialConfig } from '../contract/config.ts';
import { openCore } from './openCore.ts';
import { createTinyRun, curve, skip, temporaryHome, untilEnded } from './testing/tinyRun.ts';

const script = fileURLToPath(new URL('./testing/trainUntilKilled.ts', import.meta.url));

type Training = NonNullable<PartialConfig['training']>;

/** Trains in a process of its own and kills it once step `last` is recorded. */
async function trainAndKill(home: string, training: Training, last: number): Promise<void> {
  const child = spawn(process.execPath, [script, home, JSON.stringify(training)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const gone = new Promise((resolve) => child.on('exit', resolve));
  for await (const line of createInterface({ input: child.stdout }))
    if (line.startsWith('step ') && Number(line.slice(5)) >= last) child.kill('SIGKILL');
  await gone;
  assert.equal(child.signalCode, 'SIGKILL', 'the child ended by itself');
}

describe('kill -9 while training', { skip, concurrency: false }, () => {
  // The best checkpoint is written after a validation, so there is none before that either.
  const steps = { steps: 150, evaluateEvery: 150 };
  const cases = [
    { what: 'after a checkpoint', training: { ...steps, checkpointEvery: 10 }, last: 20 },
    { what: 'before the first one', training: { ...steps, checkpointEvery: 150 }, last: 1 },
  ];
  for (const { what, training, last } of cases)
    test(`${what}: resumed, the run has the curve of one that was not killed`, async () => {
      const { home, remove } = temporaryHome();
      await trainAndKill(home, training, last);

      const core = openCore({ home });
      const logs: string[] = [];
      core.subscribe((event) => {
        if (event.type === 'run-log') logs.push(event.message);
      });
      const run = await core.client.call('runs.get', { run: 'killed' });
      assert.equal(run.status, 'interrupted');
      assert.ok(run.step >= last && run.step < 150, `killed at step ${run.step}`);

      await core.client.call('runs.resume', { run: 'killed' });
      const finished = await untilEnded(core, run.id);
      assert.equal(finished.status, 'finished', finished.error?.message);
      const afresh = logs.some((message) => message.includes('begins again at step 1'));
      assert.equal(afresh, last === 1);

      const whole = await createTinyRun(core, training, 'whole');
      await untilEnded(core, whole.id);
      assert.deepEqual(await curve(core, run.id), await curve(core, whole.id));
      await core.close();
      remove();
    });
});
