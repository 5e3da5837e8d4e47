/** Training, validating and resuming with the memory of Transformer-XL. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ReferenceExecutor } from '../backends/reference/executor.ts';
import { TfjsExecutor } from '../backends/tfjs/executor.ts';
import type { ModelConfig, PartialConfig } from '../contract/config.ts';
import { resolveConfig } from '../contract/resolveConfig.ts';
import { openTokenFile } from '../data/tokenFile.ts';
import { uniformInteger } from '../graph/random.ts';
import { evaluationPlan, modelParameters } from '../model/plans.ts';
import { openBatchSource } from './batchSource.ts';
import { inspectCheckpoint, newestCheckpoint } from './checkpoint.ts';
import { evaluate } from './evaluate.ts';
import { initialise } from './state.ts';
import { createStepper } from './stepper.ts';
import { requireMemory } from './requireMemory.ts';
import { createTrainer, curve, type Trained } from './testing/trainer.ts';

// Every token is the one eleven before it, one higher, or now and then any: with a context of 6, only
// memory can tell.
const vocabulary = 13;
const period = 11;
const text: number[] = [];
for (let i = 0; i < 2400; i++)
  text.push(
    i < period || i % 17 === 0
      ? uniformInteger(0, 0, i, 1, vocabulary)
      : (text[i - period] + 1) % vocabulary,
  );

const T = 6;
const model: PartialConfig['model'] = {
  attention: 'dense',
  positions: 'xl',
  memoryChunks: 2,
  context: T,
  layers: 2,
  width: 16,
  heads: 2,
  headWidth: 8,
  experts: 2,
  activeExperts: 1,
  feedForwardWidth: 16,
};
const training: PartialConfig['training'] = {
  steps: 12,
  batch: 4,
  warmup: 2,
  evaluateEvery: 6,
  evaluationBatches: 5,
  checkpointEvery: 6,
  learningRate: 0.01,
};
const base = { model, training };

const joined = (first: Trained, second: Trained) =>
  curve({
    steps: [...first.steps, ...second.steps],
    validations: [...first.validations, ...second.validations],
  });

describe('training in streams', () => {
  const { folder, run } = createTrainer(text, vocabulary, base, () => TfjsExecutor.open('wasm'));

  test('what only memory can tell is learned with it, and not without', async () => {
    const long = { steps: 150, batch: 8, evaluateEvery: 150, checkpointEvery: 150 };
    const [withMemory, without] = [
      await run('with', { training: long }),
      await run('without', { training: long, model: { memoryChunks: 0 } }),
    ].map(({ validations }) => validations.at(-1)?.loss ?? NaN);
    assert.ok(without > 2.4 && withMemory < without - 0.3, `${withMemory} and ${without}`);
  });

  // 2400 tokens in 4 or 8 streams: no stream ends within 12 steps, so that memory matters throughout.
  for (const accumulate of [1, 2])
    for (const attention of ['dense', 'switchhead'] as const)
      test(`a resumed run is equal bit for bit: ${attention}, ${accumulate} a step`, async () => {
        const name = `${attention}${accumulate}`;
        const options = { model: { attention, dropout: 0.1 }, training: { accumulate } };
        const whole = await run(`${name}-whole`, options);
        const first = await run(name, { ...options, stopAt: 7 });
        const second = await run(name, { ...options, resume: true });
        assert.equal(second.steps[0].step, 8);
        assert.deepEqual(joined(first, second), curve(whole));
      });

  test('the memory is what makes it equal: without it a resumed run is another one', async () => {
    const whole = await run('remembering', {});
    await run('forgetting', { stopAt: 7 });
    const newest = join(folder, 'forgetting', 'step-000000007');
    const memory = readFileSync(join(newest, 'memory.safetensors'));
    const dataAt = 8 + Number(memory.readBigUInt64LE());
    writeFileSync(join(newest, 'memory.safetensors'), memory.fill(0, dataAt));
    const second = await run('forgetting', { resume: true });
    assert.notEqual(second.steps[0].loss, whole.steps[7].loss);
  });

  test('a checkpoint whose memory is truncated or gone is damaged, and named', async () => {
    await run('cut', { stopAt: 7 });
    const root = join(folder, 'cut');
    const memory = join(root, 'step-000000007', 'memory.safetensors');
    truncateSync(memory, 100);
    const { found, damaged } = newestCheckpoint(root);
    assert.equal(found?.header.step, 6);
    assert.match(damaged[0].message, /memory\.safetensors has 100 bytes where \d+ were written/u);
    rmSync(memory);
    assert.throws(
      () => inspectCheckpoint(root, 'step-000000007'),
      /memory\.safetensors is missing/u,
    );
  });

  test('streams start anew without memory after their last chunk', async () => {
    // 40 streams of 59 predictions: 9 chunks of 6. Parameters hardly move, so that losses repeat.
    const still = { batch: 40, learningRate: 1e-30, steps: 19 };
    const { steps } = await run('around', { training: still });
    const losses = steps.map(({ loss }) => loss);
    assert.deepEqual(losses.slice(9, 18), losses.slice(0, 9));
    assert.notEqual(losses[1], losses[0]);
  });

  test('a text too short for its streams is refused with the numbers', async () => {
    await assert.rejects(
      run('short', { training: { batch: 200, accumulate: 2 } }),
      /has 2400 tokens; .* 400 streams .* needs at least 400·T\+1 = 2401/u,
    );
  });
});

describe('what streams do not depend on', () => {
  const { run } = createTrainer(text, vocabulary, base);

  test('one batch of 8 and two micro-batches of 4 are the same streams and train the same', async () => {
    const one = await run('one', { training: { batch: 8 } });
    const two = await run('two', { training: { batch: 4, accumulate: 2 } });
    for (const [i, { loss, gradientNorm, tokens }] of two.steps.entries()) {
      assert.ok(Math.abs(loss - one.steps[i].loss) < 1e-9, `step ${i + 1}`);
      assert.ok(Math.abs(gradientNorm / one.steps[i].gradientNorm - 1) < 1e-9);
      assert.equal(tokens, one.steps[i].tokens);
    }
  });

  test('training with one chunk of memory and validation with three do not disturb each other', async () => {
    const often = await run('often', {
      model: { evaluationMemoryChunks: 3 },
      training: { evaluateEvery: 1 },
    });
    const seldom = await run('seldom', {
      model: { evaluationMemoryChunks: 3 },
      training: { evaluateEvery: 12 },
    });
    assert.deepEqual(
      often.steps.map(({ loss }) => loss),
      seldom.steps.map(({ loss }) => loss),
    );
  });
});

describe('validation in streams', () => {
  const { folder } = createTrainer(text.slice(0, 230), vocabulary, base);
  const tokens = openTokenFile(join(folder, 'tokens'), 'u8', 230);
  const batch = 3;

  /** Validation of an untrained model as training does it. */
  async function validate(change: Partial<ModelConfig>, evaluationBatches = 0) {
    const config = resolveConfig({
      model: { ...model, ...change },
      training: { ...training, batch, evaluationBatches },
    });
    const executor = new ReferenceExecutor();
    initialise(executor, modelParameters(config.model, vocabulary), 5);
    const shape = { model: config.model, vocabulary, batch };
    const program = executor.compile(evaluationPlan(shape, executor));
    const source = openBatchSource(config, tokens, tokens);
    const first = await evaluate(program, source.validation());
    assert.deepEqual(
      await evaluate(program, source.validation()),
      first,
      'it starts without memory',
    );
    return first;
  }

  /** Each of the rows, of 76 or 77 predictions, as one sequence without memory: a row at a time. */
  async function directly(change: Partial<ModelConfig>, predictions: number) {
    const config = resolveConfig({
      model: { ...model, ...change, memoryChunks: 0, context: predictions },
    });
    const executor = new ReferenceExecutor();
    initialise(executor, modelParameters(config.model, vocabulary), 5);
    let sum = 0;
    let count = 0;
    for (let row = 0; row < batch; row++) {
      const [first, end] = [row, row + 1].map((each) => Math.floor((each * 229) / batch));
      const length = Math.min(end - first, predictions);
      const context = { ...config.model, context: length };
      const shape = { model: context, vocabulary, batch: 1 };
      const program = executor.compile(evaluationPlan(shape, executor));
      const inputs = {
        tokens: Int32Array.from(text.slice(first, first + length)),
        targets: Int32Array.from(text.slice(first + 1, first + length + 1)),
      };
      const { losses } = await program.run({ inputs, uniforms: {} });
      for (const loss of losses) sum += loss;
      count += losses.length;
    }
    return { loss: sum / count, predictions: count };
  }

  for (const attention of ['dense', 'switchhead', 'moa'] as const)
    test(`with memory for all of a row it is one long pass over it: ${attention}`, async () => {
      const all = await validate({ attention, memoryChunks: 13 });
      const expected = await directly({ attention }, 100);
      assert.equal(all.predictions, 229);
      assert.equal(expected.predictions, 229);
      assert.ok(Math.abs(all.loss - expected.loss) < 1e-10, `${all.loss}, ${expected.loss}`);
      assert.equal(all.accuracy, null);
    });

  test('a limit takes the first chunks of every row', async () => {
    const some = await validate({ memoryChunks: 13 }, 4);
    const expected = await directly({}, 4 * T);
    assert.equal(some.predictions, 4 * T * batch);
    assert.ok(Math.abs(some.loss - expected.loss) < 1e-10);
  });

  test('validation can have more context than training, and even when training has no memory', async () => {
    const more = await validate({ memoryChunks: 1, evaluationMemoryChunks: 13 });
    const only = await validate({ memoryChunks: 0, evaluationMemoryChunks: 13 });
    const { loss } = await directly({}, 100);
    for (const each of [more, only]) assert.ok(Math.abs(each.loss - loss) < 1e-10);
    const less = await validate({ memoryChunks: 1 });
    assert.ok(Math.abs(less.loss - loss) > 1e-6);
  });
});

test('the forecast counts every variable: memory of all micro-batches and of validation too', () => {
  const config = resolveConfig({
    model: { ...model, evaluationMemoryChunks: 4 },
    training: { ...training, accumulate: 3 },
  });
  const executor = new ReferenceExecutor();
  const parameters = modelParameters(config.model, vocabulary);
  const beside = evaluationPlan({ model: config.model, vocabulary, batch: 4 }, executor);
  const stepper = createStepper(executor, { ...config, vocabulary, beside });
  executor.compile(beside);
  initialise(executor, parameters, 1);
  const plans = [beside, ...stepper.programs.map(({ plan }) => plan)];
  const buffers = Math.max(...plans.map(({ memory }) => memory.buffers));
  // The reference takes eight bytes a value, and plans count four.
  assert.equal(stepper.plannedBytes - buffers, executor.memory().current / 2);
  const limited = { limit: () => ({ bytes: stepper.plannedBytes - 1, holder: 'this test has' }) };
  assert.throws(() => requireMemory(limited, stepper.plannedBytes), { code: 'out-of-memory' });
});
