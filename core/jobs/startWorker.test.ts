import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SamplerTask } from './messages.ts';
import { startWorker } from './startWorker.ts';

const task = { checkpoints: '/nowhere', folder: 'step-000000001' } as SamplerTask;
const ignore = (): void => undefined;
/** A worker whose whole program is `code`. */
const program = (code: string) =>
  startWorker('sampler', task, ignore, new URL(`data:text/javascript,${encodeURIComponent(code)}`));

test('an error of the work comes out as it was thrown', async () => {
  await assert.rejects(startWorker('sampler', task, ignore).result, {
    name: 'SwitchyardError',
    code: 'checkpoint-damaged',
  });
});

test('a thread that ends without a result is said to have done so', async () => {
  await assert.rejects(program('process.exit(3)').result, {
    code: 'internal',
    message: /sampling thread ended with exit code 3 before it was done/,
  });
  await assert.rejects(program('throw new TypeError("oh")').result, {
    code: 'internal',
    message: 'The sampling thread failed: oh',
  });
});

test('a thread can be ended while it computes', async () => {
  const worker = program('for (;;);');
  const rejected = assert.rejects(worker.result, { code: 'interrupted' });
  await worker.terminate();
  await rejected;
});

test('a result settles only when the thread is gone, even if something keeps it alive', async () => {
  const worker = program(`
    import { parentPort } from 'node:worker_threads';
    setInterval(() => {}, 1000);
    console.log('not for stdout');
    parentPort.postMessage({ type: 'done', result: 'fine' });
  `);
  assert.equal(await worker.result, 'fine');
});
