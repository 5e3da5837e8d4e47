import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SwitchyardError, type ErrorRecord } from '../contract/errors.ts';
import type { TrainerTask } from './messages.ts';
import { startTraining } from './training.ts';

/** A trainer that ends with an error at once. */
function failing(error: ErrorRecord): URL {
  const code = `import { parentPort } from 'node:worker_threads';
    parentPort.postMessage({ type: 'failed', error: ${JSON.stringify(error)} });`;
  return new URL(`data:text/javascript,${encodeURIComponent(code)}`);
}
const task = {} as TrainerTask;
const ignore = (): void => undefined;
const lost: ErrorRecord = { code: 'interrupted', message: 'The GPU was lost.' };

test('a run whose device is lost is interrupted, one that ends by any other error has failed', async () => {
  assert.deepEqual(await startTraining(task, ignore, failing(lost)).ended, {
    status: 'interrupted',
    error: lost,
  });
  const diverged: ErrorRecord = { code: 'diverged', message: 'The loss became NaN.' };
  assert.deepEqual(await startTraining(task, ignore, failing(diverged)).ended, {
    status: 'failed',
    error: diverged,
  });
});

test('a run that is abandoned has failed for the reason that is given', async () => {
  const training = startTraining(
    task,
    ignore,
    new URL('data:text/javascript,setTimeout(()=>0,1e5)'),
  );
  training.abandon(new SwitchyardError('disk-full', 'The disk is full.'));
  assert.deepEqual(await training.ended, {
    status: 'failed',
    error: { code: 'disk-full', message: 'The disk is full.' },
  });
});
