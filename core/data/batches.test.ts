import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SwitchyardError } from '../contract/errors.ts';
import { requireSequences, trainingBatch, validationBatches, validationChunks } from './batches.ts';
import { countingFile } from './testing/countingFile.ts';

const file = countingFile(10_000);
const options = { batch: 4, context: 8, step: 3, microBatch: 0, seed: 1 };

test('rows are consecutive tokens, and targets the tokens after them', () => {
  const { tokens, targets } = trainingBatch(file, options);
  assert.equal(tokens.length, 32);
  for (let i = 0; i < 32; i++) {
    assert.equal(targets[i], tokens[i] + 1);
    if (i % 8 > 0) assert.equal(tokens[i], tokens[i - 1] + 1);
  }
});

test('a batch is a pure function of seed, step, micro-batch and row', () => {
  const first = trainingBatch(file, options);
  trainingBatch(file, { ...options, step: 99 });
  assert.deepEqual(trainingBatch(file, options), first);
  for (const change of [{ step: 4 }, { seed: 2 }, { microBatch: 1 }]) {
    assert.notDeepEqual(trainingBatch(file, { ...options, ...change }), first);
  }
});

test('two micro-batches hold the rows of one batch of twice the size', () => {
  const whole = trainingBatch(file, { ...options, batch: 8 });
  const halves = [0, 1].map((microBatch) => trainingBatch(file, { ...options, microBatch }));
  assert.deepEqual([...halves[0].tokens, ...halves[1].tokens], [...whole.tokens]);
});

test('every offset occurs, the last included, and none more often than chance', () => {
  const small = countingFile(12); // offsets 0 … 3 for T = 8
  const seen = [0, 0, 0, 0];
  for (let step = 0; step < 1000; step++) {
    const { tokens } = trainingBatch(small, { ...options, step });
    for (let row = 0; row < 4; row++) seen[tokens[row * 8]]++;
  }
  for (const count of seen) assert.ok(Math.abs(count - 1000) < 120, seen.join(' '));
  assert.equal(trainingBatch(countingFile(9), options).tokens[0], 0, 'T + 1 tokens are enough');
});

test('validation counts every whole chunk once, in batches of static size', () => {
  for (const length of [9, 17, 18, 36, 9 * 7, 9 * 8, 9 * 8 + 5]) {
    const starts: number[] = [];
    const validation = { batch: 4, context: 8, limit: 0 };
    for (const { tokens, targets, rows } of validationBatches(countingFile(length), validation)) {
      assert.equal(tokens.length, 32);
      assert.ok(rows >= 1 && rows <= 4);
      for (let row = 0; row < 4; row++) {
        if (row < rows) starts.push(tokens[row * 8]);
        else assert.equal(tokens[row * 8], starts.at(-1), 'filler repeats the last chunk');
        assert.equal(targets[row * 8 + 7], tokens[row * 8] + 8);
      }
    }
    const chunks = Math.floor(length / 9);
    assert.deepEqual(
      starts,
      Array.from({ length: chunks }, (_, i) => i * 9),
    );
    assert.equal(validationChunks(length, validation), chunks);
  }
});

test('a limit spreads its chunks evenly over the text', () => {
  const validation = { batch: 2, context: 8, limit: 2 };
  const starts = [...validationBatches(countingFile(9 * 10), validation)].flatMap(
    ({ tokens, rows }) => {
      assert.equal(rows, 2);
      return [tokens[0], tokens[8]];
    },
  );
  assert.deepEqual(starts, [0, 2 * 9, 5 * 9, 7 * 9]);
  assert.equal(validationChunks(90, validation), 4);
  const all = [...validationBatches(countingFile(90), { ...validation, limit: 100 })];
  assert.equal(
    all.reduce((sum, { rows }) => sum + rows, 0),
    10,
  );
});

test('too few tokens give a sentence with both numbers', () => {
  const isError =
    (message: RegExp) =>
    (error: unknown): boolean => {
      assert.ok(error instanceof SwitchyardError);
      assert.equal(error.code, 'invalid-data');
      assert.match(error.message, message);
      return true;
    };
  assert.throws(
    () => trainingBatch(countingFile(8), options),
    isError(/has 8 tokens; one sequence of T=8 needs at least T\+1 = 9/),
  );
  assert.throws(
    () => [...validationBatches(countingFile(8), { ...options, limit: 0 })],
    isError(/has 8 tokens/),
  );
  const dataset = { name: 'Notes', trainTokens: 128, validationTokens: 500 };
  assert.throws(
    () => requireSequences(dataset, 128),
    isError(
      /^Dataset "Notes" has 128 training tokens; one sequence of T=128 needs at least T\+1 = 129\. Choose/,
    ),
  );
  assert.throws(
    () => requireSequences({ ...dataset, trainTokens: 1000 }, 600),
    isError(/500 validation tokens/),
  );
  requireSequences({ ...dataset, trainTokens: 129 }, 128);
  // Training with memory needs a chunk for each of its streams; validation does not.
  const streamed = { ...dataset, trainTokens: 1024 };
  assert.throws(
    () => requireSequences(streamed, 128, 8),
    isError(/has 1024 training tokens; .*as 8 streams .*needs at least 8·T\+1 = 1025\. Choose/),
  );
  requireSequences({ ...streamed, trainTokens: 1025 }, 128, 8);
});
