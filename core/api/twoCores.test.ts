/** Two cores over one data directory, as two terminals have them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openCore } from './openCore.ts';
import { createTinyRun, curve, importText, temporaryHome, untilRun } from './testing/tinyRun.ts';

test('resuming a run while another core is about to stop it loses nothing of what that one did', async () => {
  const { home, remove } = temporaryHome();
  const training = { steps: 5000, evaluateEvery: 5000, checkpointEvery: 10 };
  const one = openCore({ home });
  await importText(one);
  const { id } = await createTinyRun(one, training);
  await untilRun(one, id, ({ step }) => step >= 10);

  // The other core looks for devices first, which takes a process; the run goes on meanwhile.
  const other = openCore({ home });
  const resuming = other.client.call('runs.resume', { run: id });
  await untilRun(one, id, ({ step }) => step >= 40);
  const stopped = await one.client.call('runs.stop', { run: id });
  const before = await curve(one, id);
  // On a slow day the run is still in the other's hands when the search ends; then it is refused.
  const resumed = await resuming.catch((error: unknown) => {
    assert.match(String(error), /already running/);
    return other.client.call('runs.resume', { run: id });
  });
  assert.ok(
    resumed.step >= stopped.step,
    `stopped at ${stopped.step}, resumed from ${resumed.step}`,
  );
  await other.client.call('runs.stop', { run: id });
  const after = await curve(other, id);
  assert.deepEqual(after.steps.slice(0, before.steps.length), before.steps);

  await other.close();
  await one.close();
  remove();
});
