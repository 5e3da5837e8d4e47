import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trainingStreams, validationStreams } from './streams.ts';
import { countingFile } from './testing/countingFile.ts';

const T = 8;
const options = { batch: 4, accumulate: 1, context: T, step: 1, microBatch: 0 };
const row = (tokens: Int32Array, index: number): number[] => [
  ...tokens.subarray(index * T, (index + 1) * T),
];

test('every chunk goes on where the one before ended, in every row, and then the streams start anew', () => {
  const file = countingFile(4 * (3 * T + 2) + 1); // rows of three chunks and two tokens
  let before: number[] = [];
  for (let step = 1; step <= 7; step++) {
    const { tokens, targets, chunk } = trainingStreams(file, { ...options, step });
    assert.equal(chunk, (step - 1) % 3);
    for (let b = 0; b < 4; b++) {
      const [first] = row(tokens, b);
      assert.equal(first, chunk === 0 ? b * (3 * T + 2) : before[b] + 1);
      assert.deepEqual(
        row(targets, b),
        row(tokens, b).map((token) => token + 1),
      );
    }
    before = [0, 1, 2, 3].map((b) => row(tokens, b)[T - 1]);
  }
});

test('two micro-batches hold the rows of one batch of twice the size', () => {
  const file = countingFile(1000);
  for (const step of [1, 2, 9]) {
    const whole = trainingStreams(file, { ...options, batch: 8, step });
    const halves = [0, 1].map((microBatch) =>
      trainingStreams(file, { ...options, accumulate: 2, step, microBatch }),
    );
    assert.deepEqual([...halves[0].tokens, ...halves[1].tokens], [...whole.tokens]);
    assert.deepEqual([...halves[0].targets, ...halves[1].targets], [...whole.targets]);
  }
});

test('a text that has exactly one chunk for every stream is enough; one token less is not', () => {
  const { targets } = trainingStreams(countingFile(4 * T + 1), options);
  assert.equal(targets.at(-1), 4 * T);
  assert.throws(
    () => trainingStreams(countingFile(2 * 4 * T), { ...options, accumulate: 2 }),
    /counting\.tokens has 64 tokens; .* 8 streams .* T=8 of each needs at least 8·T\+1 = 65\. Choose/u,
  );
});

test('validation counts every prediction of the text exactly once, whatever its length', () => {
  for (const length of [9, 10, 17, 32, 33, 34, 35, 65, 66, 100, 101, 997])
    for (const batch of [1, 3, 4, 16]) {
      const seen = new Int32Array(length); // by target
      let chunks = 0;
      for (const chunk of validationStreams(countingFile(length), {
        batch,
        context: T,
        limit: 0,
      })) {
        assert.equal(chunk.chunk, chunks++);
        for (let b = 0; b < batch; b++)
          for (let i = 0; i < chunk.counted[b]; i++) {
            const target = chunk.targets[b * T + i];
            assert.equal(target, chunk.tokens[b * T + i] + 1);
            seen[target]++;
          }
      }
      assert.equal(seen[0], 0, 'the first token has nothing before it');
      assert.ok(
        seen.subarray(1).every((count) => count === 1),
        `${length} tokens in ${batch} rows: ${seen.join(' ')}`,
      );
    }
});

test('rows of validation are contiguous, and a limit takes their first chunks', () => {
  const all = [...validationStreams(countingFile(200), { batch: 3, context: T, limit: 0 })];
  for (let b = 0; b < 3; b++)
    for (const [i, { tokens, counted }] of all.entries())
      if (i > 0 && counted[b] > 0)
        assert.equal(row(tokens, b)[0], row(all[i - 1].tokens, b)[T - 1] + 1);
  const some = [...validationStreams(countingFile(200), { batch: 3, context: T, limit: 2 })];
  assert.deepEqual(some, all.slice(0, 2));
  const many = [...validationStreams(countingFile(200), { batch: 3, context: T, limit: 99 })];
  assert.deepEqual(many, all);
});
