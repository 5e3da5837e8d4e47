import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { TfjsExecutor } from '../backends/tfjs/executor.ts';
import type { TrainingConfig } from '../contract/config.ts';
import type { Precision } from '../contract/records.ts';
import { uniformInteger } from '../graph/random.ts';
import { newestCheckpoint } from './checkpoint.ts';
import { afterOverflow, afterStep, firstLossScale } from './lossScale.ts';
import { createTrainer, curve, type Trained } from './testing/trainer.ts';

test('the scale starts at 65536, doubles after 2000 steps in a row, and halves at an overflow', () => {
  let state = firstLossScale({ lossScaling: 'dynamic', precision: 'f32' });
  for (let step = 1; step < 2000; step++) state = afterStep(state);
  assert.deepEqual(state, { scale: 65536, goodSteps: 1999, passedBy: 0 });
  state = afterStep(state);
  assert.deepEqual(state, { scale: 131072, goodSteps: 0, passedBy: 0 });
  state = afterOverflow(afterStep(state));
  assert.deepEqual(state, { scale: 65536, goodSteps: 0, passedBy: 1 }, 'not in a row any more');
});

test('left to us the loss is scaled in half precision alone; what a person says counts', () => {
  const scales = (lossScaling: TrainingConfig['lossScaling'], precision: Precision) =>
    firstLossScale({ lossScaling, precision }).scale;
  assert.deepEqual([scales('automatic', 'f32'), scales('automatic', 'f16')], [1, 65536]);
  assert.deepEqual([scales('none', 'f32'), scales('none', 'f16')], [1, 1]);
  assert.deepEqual([scales('dynamic', 'f32'), scales('dynamic', 'f16')], [65536, 65536]);
});

const text = Array.from({ length: 2000 }, (_, i) =>
  i % 7 === 0 ? uniformInteger(0, 0, i, 1, 13) : (i * 3) % 13,
);
const base = {
  model: {
    context: 8,
    layers: 1,
    width: 8,
    heads: 2,
    headWidth: 4,
    experts: 3,
    feedForwardWidth: 16,
  },
  training: {
    steps: 12,
    batch: 4,
    warmup: 2,
    evaluateEvery: 12,
    evaluationBatches: 2,
    checkpointEvery: 12,
    learningRate: 0.01,
  },
} as const;
const { folder, run } = createTrainer(text, 13, base, () => TfjsExecutor.open('wasm'));
const dynamic = { lossScaling: 'dynamic' } as const;

const warnings = ({ events }: Trained): string[] =>
  events.flatMap((event) =>
    event.type === 'log' && event.level === 'warning' ? [event.message] : [],
  );

test('a scale at which nothing overflows changes no bit: it is a power of two', async () => {
  const model = { dropout: 0.1 };
  const plain = await run('plain', { model });
  const scaled = await run('scaled', { model, training: dynamic });
  assert.deepEqual(curve(scaled), curve(plain));
  assert.deepEqual(warnings(scaled), []);
});

// 2^128 and above are infinite in float32, so the first three batches overflow for certain.
const startLossScale = 2 ** 130;
for (const accumulate of [1, 2])
  test(`batches whose gradient overflows are passed by, ${accumulate} a step`, async () => {
    const overflowing = { ...dynamic, accumulate };
    const name = `overflow${accumulate}`;
    const whole = await run(name, { training: overflowing, startLossScale });
    const said = warnings(whole);
    assert.equal(said.length, 3);
    assert.match(said[0], /at step 1 with a loss scale of 1\.36\d*e\+39\. .* now 6\.8\d*e\+38/u);
    assert.deepEqual(
      whole.steps.map(({ step }) => step),
      Array.from({ length: 12 }, (_, i) => i + 1),
    );
    const { header } = newestCheckpoint(join(folder, name)).found ?? assert.fail();
    assert.deepEqual(header.lossScale, { scale: 2 ** 127, goodSteps: 12, passedBy: 3 });
    assert.equal(header.tokens, 12 * 4 * 8 * accumulate, 'a batch that is passed by is no step');

    // Step 1 has the fourth batch, and the parameters as they started: what overflowed changed nothing.
    const still = { accumulate, learningRate: 1e-30 };
    const frozen = await run(`frozen${accumulate}`, { training: still });
    assert.equal(whole.steps[0].loss, frozen.steps[3].loss);
    assert.equal(whole.steps[0].learningRate, 0.01 / 2);
  });

test('a resumed run goes on with its scale and with the batches after those it passed by', async () => {
  const training = { ...dynamic, evaluateEvery: 3 };
  const whole = await run('notStopped', { training, startLossScale });
  const first = await run('stopped', { training, startLossScale, stopAt: 7 });
  const second = await run('stopped', { training, resume: true });
  assert.deepEqual(warnings(second), []);
  assert.deepEqual(
    curve({
      steps: [...first.steps, ...second.steps],
      validations: [...first.validations, ...second.validations],
    }),
    curve(whole),
  );
});

test('a run can be stopped while it overflows; what was saved before stays as it is', async () => {
  const options = { training: dynamic, startLossScale, stopAt: 0 };
  const stopped = await run('stoppedAtOnce', options);
  assert.deepEqual(stopped.result, { reason: 'stopped', step: 0 });
  assert.equal(warnings(stopped).length, 1);

  await run('stoppedLater', { training: dynamic, stopAt: 7 });
  const path = join(folder, 'stoppedLater', 'step-000000007', 'checkpoint.json');
  const header = readFileSync(path, 'utf8').replace(/"scale": \d+/u, `"scale": ${startLossScale}`);
  writeFileSync(path, header);
  const again = await run('stoppedLater', { training: dynamic, resume: true, stopAt: 0 });
  assert.deepEqual(again.result, { reason: 'stopped', step: 7 });
  assert.equal(readFileSync(path, 'utf8'), header);
});

test('a run that overflows at every scale has diverged', async () => {
  const wild = { learningRate: 10, clip: 1e6, warmup: 0, steps: 400, weightDecay: 2 };
  const events: string[] = [];
  await assert.rejects(
    run('wild', {
      training: { ...wild, ...dynamic, checkpointEvery: 1, evaluateEvery: 400 },
      startLossScale: 4,
      onEvent: (event) => {
        if (event.type === 'log' && event.level === 'warning') events.push(event.message);
      },
    }),
    /became (NaN|Infinity) at step \d+\. The checkpoint at step \d+ is kept/u,
  );
  assert.equal(events.length, 2, '4 became 2, 2 became 1, and 1 is the least');
});
