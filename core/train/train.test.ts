import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { PartialConfig } from '../contract/config.ts';
import { resolveConfig } from '../contract/resolveConfig.ts';
import { uniformInteger } from '../graph/random.ts';
import { newestCheckpoint, type CheckpointHeader } from './checkpoint.ts';
import { learningRateAt } from './schedule.ts';
import { createTrainer, curve } from './testing/trainer.ts';

// A text with structure: every token is mostly followed by one other, so that there is something to learn.
const vocabulary = 13;
const text = Array.from({ length: 3000 }, (_, i) =>
  i % 7 === 0 ? uniformInteger(0, 0, i, 1, vocabulary) : (i * 3) % vocabulary,
);

const model: PartialConfig['model'] = {
  context: 8,
  layers: 1,
  width: 8,
  heads: 2,
  headWidth: 4,
  experts: 3,
  activeExperts: 2,
  feedForwardWidth: 16,
  dropout: 0.1,
};
const training: PartialConfig['training'] = {
  steps: 12,
  batch: 4,
  warmup: 2,
  evaluateEvery: 4,
  evaluationBatches: 3,
  checkpointEvery: 5,
  keepCheckpoints: 2,
  learningRate: 0.01,
};

const { folder, run } = createTrainer(text, vocabulary, { model, training });

void test('a run stopped and resumed gives exactly the losses of an uninterrupted one', async () => {
  const whole = await run('whole');
  assert.deepEqual(whole.result, { reason: 'finished', step: 12 });
  const first = await run('parts', { stopAt: 7 });
  assert.deepEqual(first.result, { reason: 'stopped', step: 7 });
  const second = await run('parts', { resume: true });
  assert.equal(second.steps[0].step, 8);
  // Checkpoints are float32, the reference computes in float64: equal to float32's precision.
  const joined = curve({
    steps: [...first.steps, ...second.steps],
    validations: [...first.validations, ...second.validations],
  });
  const expected = curve(whole);
  for (const [i, { step, loss, gradientNorm, ...rest }] of joined.losses.entries()) {
    const {
      step: expectedStep,
      loss: expectedLoss,
      gradientNorm: norm,
      ...others
    } = expected.losses[i];
    assert.equal(step, expectedStep);
    assert.deepEqual(rest, others);
    assert.ok(
      Math.abs(loss - expectedLoss) < 1e-6 && Math.abs(gradientNorm / norm - 1) < 1e-5,
      `step ${step}`,
    );
  }
  assert.deepEqual(
    joined.validations.map(({ step }) => step),
    [4, 8, 12],
  );
  assert.ok(second.steps[0].elapsedSeconds > first.steps[6].elapsedSeconds);
});

void test('a paused run checkpoints, waits, and goes on exactly as if it had not', async () => {
  const whole = await run('notPaused');
  const waitMilliseconds = 300;
  const paused = await run('paused', {
    pauseAt: 7,
    whilePaused: () => {
      assert.equal(newestCheckpoint(join(folder, 'paused')).found?.header.step, 7);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, waitMilliseconds);
      return 'go-on';
    },
  });
  assert.deepEqual(paused.result, { reason: 'finished', step: 12 });
  assert.deepEqual(curve(paused), curve(whole));
  const around = paused.events.flatMap((event) =>
    event.type === 'checkpoint' || event.type === 'paused' || event.type === 'resumed'
      ? [`${event.type} ${event.step}`]
      : [],
  );
  const at = around.indexOf('paused 7');
  assert.deepEqual(around.slice(at - 1, at + 2), ['checkpoint 7', 'paused 7', 'resumed 7']);
  // The time it waited is nobody's: seconds of training are the sum of the steps' own.
  for (const { steps } of [paused, whole]) {
    const sum = steps.reduce((total, { milliseconds }) => total + milliseconds, 0);
    assert.ok(Math.abs((steps.at(-1)?.elapsedSeconds ?? 0) - sum / 1000) < 1e-6);
  }
});

void test('a paused run can be stopped: its checkpoint is there already', async () => {
  const { result, events } = await run('pausedAndStopped', {
    pauseAt: 7,
    whilePaused: () => 'stop',
  });
  assert.deepEqual(result, { reason: 'stopped', step: 7 });
  assert.ok(!events.some(({ type }) => type === 'resumed'));
  assert.equal(newestCheckpoint(join(folder, 'pausedAndStopped')).found?.header.step, 7);
});

void test('gradients of accumulated micro-batches average exactly: 2 × 4 rows train as 1 × 8', async () => {
  const model = { dropout: 0 };
  const one = await run('one', { model, training: { batch: 8, evaluateEvery: 12 } });
  const two = await run('two', { model, training: { batch: 4, accumulate: 2, evaluateEvery: 12 } });
  for (const [i, { loss, gradientNorm, tokens }] of two.steps.entries()) {
    assert.ok(Math.abs(loss - one.steps[i].loss) < 1e-9);
    assert.ok(Math.abs(gradientNorm / one.steps[i].gradientNorm - 1) < 1e-9);
    assert.equal(tokens, one.steps[i].tokens);
  }
});

void test('checkpoints: the best and the newest are kept, the rest removed, and each removal is told', async () => {
  const { events, validations } = await run('kept', {
    training: { steps: 30, checkpointEvery: 3, evaluateEvery: 5 },
  });
  const written = events.filter((event) => event.type === 'checkpoint');
  const best = validations.reduce((a, b) => (b.loss < a.loss ? b : a)).step;
  const kept = readdirSync(join(folder, 'kept')).map((name) => Number(name.slice(5)));
  const newest = written.map(({ step }) => step).slice(-2);
  assert.deepEqual(
    kept.toSorted((a, b) => a - b),
    [...new Set([best, ...newest])].sort((a, b) => a - b),
  );
  assert.equal(written.length - written.flatMap(({ removed }) => removed).length, kept.length);
  assert.ok(written.some((event) => event.best && event.step === best));
});

void test('a diverging run ends with the step named, and the last good checkpoint stays', async () => {
  const wild = {
    learningRate: 10,
    clip: 1e6,
    warmup: 0,
    steps: 400,
    checkpointEvery: 1,
    evaluateEvery: 400,
    epsilon: 1e-8,
  };
  // A weight decay far above what is stable multiplies the parameters by −19 every step until they overflow.
  await assert.rejects(run('wild', { training: { ...wild, weightDecay: 2 } }), (error: Error) => {
    assert.match(
      error.message,
      /became (NaN|Infinity|-Infinity) at step \d+\. The checkpoint at step \d+ is kept/u,
    );
    return true;
  });
  assert.ok(newestCheckpoint(join(folder, 'wild')).found !== undefined);
});

void test('a validation loss that is not a number ends the run the same way, with its step recorded', async () => {
  const wild = { learningRate: 10, clip: 1e6, warmup: 0, steps: 400, weightDecay: 2 };
  const seen: number[] = [];
  await assert.rejects(
    run('wildAtOnce', {
      training: { ...wild, checkpointEvery: 1, evaluateEvery: 1 },
      onEvent: (event) => {
        if (event.type === 'step') seen.push(event.metric.step);
      },
    }),
    (error: Error) => {
      const [, at, kept] =
        /the validation loss became \S+ at step (\d+)\. The checkpoint at step (\d+) is kept/u.exec(
          error.message,
        ) ?? [];
      assert.equal(Number(at), seen.at(-1), error.message);
      assert.equal(Number(kept), Number(at) - 1);
      return true;
    },
  );
});

void test('a truncated newest checkpoint is named, and the one before it is used', async () => {
  await run('cut', { stopAt: 7, training: { evaluateEvery: 12 } }); // checkpoints at 5 and 7
  truncateSync(join(folder, 'cut', 'step-000000007', 'optimizer.safetensors'), 100);
  const { steps, events } = await run('cut', { resume: true, training: { evaluateEvery: 12 } });
  assert.equal(steps[0].step, 6);
  assert.ok(
    events.some(
      (event) =>
        event.type === 'log' &&
        event.level === 'warning' &&
        /step-000000007.*optimizer\.safetensors has 100 bytes/u.test(event.message),
    ),
  );
});

void test('a newest checkpoint whose headers are not what was written is named, and the one before it is used', async () => {
  const once = { evaluateEvery: 12 };
  await run('spoilt', { stopAt: 7, training: once }); // checkpoints at 5 and 7
  const newest = join(folder, 'spoilt', 'step-000000007');
  const header = readFileSync(join(newest, 'checkpoint.json'), 'utf8');
  const tensors = readFileSync(join(newest, 'optimizer.safetensors'));
  const spoilt: [file: string, contents: string | Buffer, what: RegExp][] = [
    ['checkpoint.json', 'null', /checkpoint\.json names no format/u],
    ['checkpoint.json', '{"format":1}', /checkpoint\.json has no "step"/u],
    ['checkpoint.json', header.replace('"step": 7', '"step": 8'), /is of step 8/u],
    [
      'optimizer.safetensors',
      Buffer.concat([tensors.subarray(0, 8), Buffer.alloc(tensors.length - 8)]),
      /optimizer\.safetensors .*header is not valid JSON/u,
    ],
  ];
  for (const [file, contents, what] of spoilt) {
    writeFileSync(join(newest, 'checkpoint.json'), header);
    writeFileSync(join(newest, 'optimizer.safetensors'), tensors);
    writeFileSync(join(newest, file), contents);
    const { found, damaged } = newestCheckpoint(join(folder, 'spoilt'));
    assert.equal(found?.header.step, 5);
    assert.match(damaged[0].message, what);
  }
  assert.equal((await run('spoilt', { resume: true, training: once })).steps[0].step, 6);
});

void test('what a kill left of a checkpoint is removed when the run goes on, whatever its step was', async () => {
  await run('killed', { stopAt: 3 });
  const unfinished = join(folder, 'killed', '.step-000000004.tmp');
  mkdirSync(unfinished);
  writeFileSync(join(unfinished, 'model.safetensors'), 'half');
  await run('killed', { resume: true, stopAt: 6, training: { evaluateEvery: 12 } });
  assert.ok(!existsSync(unfinished));
});

void test('with no whole checkpoint, resuming says so instead of starting over', async () => {
  await run('none', { stopAt: 2, training: { evaluateEvery: 12 } });
  rmSync(join(folder, 'none', 'step-000000002', 'checkpoint.json'));
  await assert.rejects(run('none', { resume: true }), /no usable checkpoint/u);
});

void test('a checkpoint’s header says what it holds', async () => {
  await run('header', { stopAt: 4 });
  const header = JSON.parse(
    readFileSync(join(folder, 'header', 'step-000000004', 'checkpoint.json'), 'utf8'),
  ) as Record<string, unknown>;
  assert.equal(header.step, 4);
  assert.equal(header.tokens, 4 * 4 * 8);
  assert.equal(header.vocabulary, vocabulary);
  assert.equal(typeof header.validationLoss, 'number');
});

void test('a checkpoint of a version that knew fewer fields is gone on from', async () => {
  await run('old', { stopAt: 4 });
  const path = join(folder, 'old', 'step-000000004', 'checkpoint.json');
  const header = JSON.parse(readFileSync(path, 'utf8')) as CheckpointHeader;
  const unknown = new Set(['lossScale', 'lossScaling', 'positions', 'task']);
  const older = (key: string, value: unknown): unknown => (unknown.has(key) ? undefined : value);
  writeFileSync(path, JSON.stringify(header, older));
  const { steps } = await run('old', { resume: true });
  const whole = await run('oldWhole', {});
  assert.ok(Math.abs(steps[0].loss - whole.steps[4].loss) < 1e-6);
  assert.deepEqual(newestCheckpoint(join(folder, 'old')).found?.header.config, header.config);
});

void test('the learning rate warms up linearly, peaks, and ends at its final share', () => {
  const { training } = resolveConfig({
    training: { steps: 600, warmup: 50, learningRate: 3e-3, finalLearningRateShare: 0.1 },
  });
  assert.equal(learningRateAt(1, training), 3e-3 / 50);
  assert.equal(learningRateAt(50, training), 3e-3);
  assert.ok(Math.abs(learningRateAt(325, training) - 3e-3 * 0.55) < 1e-12);
  assert.ok(Math.abs(learningRateAt(600, training) - 3e-4) < 1e-15);
  assert.equal(learningRateAt(1, { ...training, warmup: 0, steps: 1 }), 3e-3 * 0.1);
});
