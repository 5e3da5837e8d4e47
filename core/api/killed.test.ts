/** A process that trains is killed without warning; what another process then finds, and goes on from. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { CoreEvent } from '../contract/protocol.ts';
import { openCore } from './openCore.ts';
import { createTinyRun, curve, skip, temporaryHome, untilEnded } from './testing/tinyRun.ts';

const script = fileURLToPath(new URL('./testing/trainUntilKilled.ts', import.meta.url));

/** Trains in a process of its own and kills it once step `last` is recorded. */
async function trainAndKill(home: string, checkpointEvery: number, last: number): Promise<void> {
  const child = spawn(process.execPath, [script, home, String(checkpointEvery)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const gone = new Promise((resolve) => child.on('exit', resolve));
  for await (const line of createInterface({ input: child.stdout }))
    if (line.startsWith('step ') && Number(line.slice(5)) >= last) child.kill('SIGKILL');
  await gone;
  assert.equal(child.signalCode, 'SIGKILL', 'the child ended by itself');
}

describe('kill -9 while training', { skip, concurrency: false }, () => {
  for (const [what, checkpointEvery] of [
    ['after a checkpoint', 3],
    ['before the first checkpoint', 1000],
  ] as const)
    test(`${what}: the run is interrupted, and resumed it has the curve of one that was not`, async () => {
      const { home, remove } = temporaryHome();
      await trainAndKill(home, checkpointEvery, what === 'after a checkpoint' ? 7 : 2);

      const core = openCore({ home });
      const logs: string[] = [];
      core.subscribe((event: CoreEvent) => {
        if (event.type === 'run-log') logs.push(event.message);
      });
      const run = await core.client.call('runs.get', { run: 'killed' });
      assert.equal(run.status, 'interrupted');
      assert.ok(run.step >= 2 && run.step < 20, `killed at step ${run.step}`);

      await core.client.call('runs.resume', { run: 'killed' });
      const finished = await untilEnded(core, run.id);
      assert.equal(finished.status, 'finished', finished.error?.message);
      if (checkpointEvery === 1000 && run.step < 10)
        assert.ok(logs.some((message) => message.includes('begins again at step 1')));

      const whole = await createTinyRun(core, { checkpointEvery }, 'whole');
      await untilEnded(core, whole.id);
      assert.deepEqual(await curve(core, run.id), await curve(core, whole.id));
      await core.close();
      remove();
    });
});
