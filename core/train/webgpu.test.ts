/** Training on WebGPU: as on the reference, within the planned memory, through the loss of the device. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { ReferenceExecutor } from '../backends/reference/executor.ts';
import { WebgpuExecutor } from '../backends/webgpu/executor.ts';
import { adapterMissing } from '../backends/webgpu/testing/adapter.ts';
import type { Executor } from '../graph/executor.ts';
import { uniformInteger } from '../graph/random.ts';
import { newestCheckpoint } from './checkpoint.ts';
import { createTrainer, curve, type Trained } from './testing/trainer.ts';

const text = Array.from({ length: 2000 }, (_, i) =>
  i % 7 === 0 ? uniformInteger(0, 0, i, 1, 13) : (i * 3) % 13,
);
const base = {
  model: {
    ...{ context: 8, layers: 1, width: 8, heads: 2, headWidth: 4, experts: 3, activeExperts: 2 },
    ...{ feedForwardWidth: 16, dropout: 0.1 },
  },
  training: {
    ...{ steps: 12, batch: 4, warmup: 2, evaluateEvery: 6, evaluationBatches: 2 },
    ...{ checkpointEvery: 5, learningRate: 0.01 },
  },
} as const;

/** An executor that outlives its runs, so that shaders are compiled once. */
async function openKept(): Promise<{ executor: WebgpuExecutor; dispose: () => void }> {
  const executor = await WebgpuExecutor.open();
  const dispose = executor.dispose.bind(executor);
  executor.dispose = () => undefined;
  return { executor, dispose };
}

let next: () => Executor | Promise<Executor>;
const { folder, run } = createTrainer(text, 13, base, () => next());

const planned = ({ events }: Trained): number =>
  events.find((event) => event.type === 'started')?.plannedBytes ?? 0;

test(
  'a run on webgpu trains as on the reference and survives the loss of its device',
  { skip: adapterMissing },
  async () => {
    next = () => new ReferenceExecutor();
    const expected = await run('reference');
    const first = await openKept();
    next = () => first.executor;
    const whole = await run('whole');
    for (const [i, { loss }] of whole.steps.entries())
      assert.ok(Math.abs(loss - expected.steps[i].loss) < 1e-4, `step ${i + 1}: ${loss}`);
    const peak = Math.max(...whole.steps.map(({ tensorBytes }) => tensorBytes));
    const part = peak / planned(whole);
    assert.ok(part > 0.95 && part <= 1, `${peak} bytes of ${planned(whole)} that were planned`);

    const second = await openKept();
    next = () => second.executor;
    const steps: Trained['steps'] = [];
    const losingIt = run('lost', {
      onEvent: (event) => {
        if (event.type !== 'step') return;
        steps.push(event.metric);
        if (event.metric.step === 7) second.executor.gpu.destroy();
      },
    });
    await assert.rejects(losingIt, { code: 'interrupted', message: /^The GPU was lost/u });
    assert.equal(steps.length, 7);
    const { header } = newestCheckpoint(join(folder, 'lost')).found ?? assert.fail();
    assert.equal(header.step, 6, 'that of the last validation');

    next = () => first.executor;
    const resumed = await run('lost', { resume: true });
    assert.deepEqual(
      curve({ steps: [...steps.slice(0, 6), ...resumed.steps], validations: [] }),
      curve({ ...whole, validations: [] }),
    );
    assert.deepEqual(curve(resumed).validations, curve(whole).validations.slice(1));
    first.dispose();
    second.dispose();
    assert.equal(first.executor.memory().current, 0);
  },
);
