import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { TfjsExecutor } from '../backends/tfjs/executor.ts';
import { resolveConfig } from '../contract/resolveConfig.ts';
import { openTokenFile } from '../data/tokenFile.ts';
import { uniformInteger } from '../graph/random.ts';
import { evaluationPlan, modelParameters } from '../model/plans.ts';
import { openBatchSource } from './batchSource.ts';
import { evaluate } from './evaluate.ts';
import { initialise } from './state.ts';
import { createTrainer, curve } from './testing/trainer.ts';

// Examples of two to seven digits, as tokens 1 … 10, whose class is the first digit; a class token is
// 18 + class. Only attention can tell, as predictions are read from the last digit.
const vocabulary = 18;
const examples = 400;
const tokens = Array.from({ length: examples }, (_, i) => {
  const length = 2 + uniformInteger(0, 0, i, 1, 6);
  const digits = Array.from({ length }, (_, at) => uniformInteger(0, 1 + at, i, 1, 10));
  return [...digits.map((digit) => digit + 1), vocabulary + digits[0]];
}).flat();

const model = {
  task: 'classification',
  context: 8,
  layers: 1,
  width: 16,
  heads: 2,
  headWidth: 8,
  experts: 2,
  activeExperts: 1,
  feedForwardWidth: 16,
} as const;
const training = {
  steps: 150,
  batch: 16,
  warmup: 10,
  learningRate: 0.02,
  evaluateEvery: 75,
  checkpointEvery: 150,
} as const;
const { folder, run } = createTrainer(tokens, vocabulary, { model, training }, () =>
  TfjsExecutor.open('wasm'),
);

test('a classifier learns what a look at the first token tells, and its accuracy says so', async () => {
  const { validations, steps } = await run('learning');
  assert.equal(validations[0].tokens, examples, 'every example counts once');
  const accuracy = validations.at(-1)?.accuracy ?? NaN;
  assert.ok(accuracy > 0.5 && accuracy <= 1, `accuracy ${accuracy} where guessing gives 0.1`);
  assert.equal(steps.at(-1)?.tokens, 150 * 16 * 8);
});

test('a classifier that was stopped goes on exactly', async () => {
  const short = { training: { steps: 12, evaluateEvery: 4 } };
  const whole = await run('whole', short);
  const first = await run('parts', { ...short, stopAt: 7 });
  const second = await run('parts', { ...short, resume: true });
  assert.deepEqual(
    curve({
      steps: [...first.steps, ...second.steps],
      validations: [...first.validations, ...second.validations],
    }),
    curve(whole),
  );
});

test('accuracy is the share of examples whose largest logit is at their class, the filler left out', async () => {
  const file = openTokenFile(join(folder, 'tokens'), 'u8', tokens.length);
  const config = resolveConfig({
    model,
    training: { ...training, batch: 7, evaluationBatches: 0 },
  });
  const executor = await TfjsExecutor.open('wasm');
  initialise(executor, modelParameters(config.model, vocabulary), 3);
  const shape = { model: config.model, vocabulary, batch: 7 };
  const program = executor.compile(evaluationPlan(shape, executor));
  const source = openBatchSource(config, file, file);
  const { accuracy, loss, predictions } = await evaluate(program, source.validation());

  let right = 0;
  let sum = 0;
  let seen = 0;
  for (const { inputs } of source.validation()) {
    const { logits, losses } = await program.run({ inputs, uniforms: {} }); // [7, 10], [7]
    for (let row = 0; row < 7 && seen < examples; row++, seen++) {
      const ofRow = [...logits.subarray(10 * row, 10 * row + 10)];
      if (ofRow.indexOf(Math.max(...ofRow)) === inputs.targets[row]) right++;
      sum += losses[row];
    }
  }
  assert.equal(predictions, examples);
  assert.equal(accuracy, right / examples);
  assert.ok(right > 0 && right < examples / 2, 'an untrained model guesses');
  assert.ok(Math.abs(loss - sum / examples) < 1e-12);
  file.close();
  executor.dispose();
});

test('a limit of validation batches takes that many examples', async () => {
  const limited = { training: { steps: 2, evaluateEvery: 2, evaluationBatches: 3 } };
  const { validations } = await run('limited', limited);
  assert.equal(validations[0].tokens, 3 * 16);
});
