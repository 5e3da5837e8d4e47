import assert from 'node:assert/strict';
import { test } from 'node:test';
import { indexExamples, trainingExamples, validationExamples } from './examples.ts';
import type { TokenFile } from './tokenFile.ts';

function fileOf(tokens: readonly number[]): TokenFile {
  return {
    path: 'examples.tokens',
    length: tokens.length,
    read(start, count, into, offset = 0) {
      assert.ok(start >= 0 && start + count <= tokens.length, `read ${count} at ${start}`);
      for (let i = 0; i < count; i++) into[offset + i] = tokens[start + i];
    },
    close: () => undefined,
  };
}

/** Example i is i % 4 + 1 times the token i % 10 + 1, and has the class i % 10. */
const example = (i: number): number[] => [
  ...Array.from({ length: (i % 4) + 1 }, () => (i % 10) + 1),
  18 + (i % 10),
];
const listOf = (count: number): TokenFile =>
  fileOf(Array.from({ length: count }, (_, i) => example(i)).flat());

const options = { batch: 4, context: 6, step: 3, microBatch: 0, seed: 1 };

test('examples are found by their class tokens, in files of many blocks too', () => {
  const { count, longest, starts } = indexExamples(fileOf([3, 4, 20, 5, 27]));
  assert.deepEqual([count, longest, starts], [2, 2, [0, 3, 5]]);
  assert.deepEqual(indexExamples(fileOf([])), { count: 0, longest: 0, starts: [0] });
  assert.equal(indexExamples(listOf(50_000)).count, 50_000);
  assert.throws(() => indexExamples(fileOf([3, 20, 4])), /its last example has no class/);
  assert.throws(() => indexExamples(fileOf([3, 20, 21])), /an example without tokens at 2/);
});

test('a row is an example, padded, with its length, last place and class', () => {
  const file = fileOf([3, 4, 5, 22]);
  const batch = trainingExamples(file, indexExamples(file), { ...options, batch: 2, context: 5 });
  assert.deepEqual([...batch.tokens], [3, 4, 5, 0, 0, 3, 4, 5, 0, 0]);
  assert.deepEqual([...batch.visible], [0, 3, 0, 3]);
  assert.deepEqual([...batch.last], [2, 7]);
  assert.deepEqual([...batch.targets], [4, 4]);
});

test('a batch is a pure function of seed, step, micro-batch and row, and every example occurs', () => {
  const file = listOf(100);
  const examples = indexExamples(file);
  const draw = (changes: object) => trainingExamples(file, examples, { ...options, ...changes });
  assert.deepEqual(draw({}), draw({}));
  for (const change of [{ step: 4 }, { seed: 2 }, { microBatch: 1 }])
    assert.notDeepEqual(draw({ batch: 32, ...change }), draw({ batch: 32 }));
  const halves = [draw({}), draw({ microBatch: 1 })];
  const whole = draw({ batch: 8 });
  assert.deepEqual(
    halves.flatMap(({ tokens }) => [...tokens]),
    [...whole.tokens],
  );
  assert.deepEqual(
    halves.flatMap(({ targets }) => [...targets]),
    [...whole.targets],
  );
  const [first, last] = [0, 8].map((place) => draw({ batch: 2000 }).targets.indexOf(place + 1));
  assert.ok(first >= 0 && last >= 0);
});

test('validation has every example once, the last batch filled up with its last', () => {
  const file = listOf(10);
  const batches = [...validationExamples(file, indexExamples(file), { ...options, limit: 0 })];
  assert.deepEqual(
    batches.map(({ rows }) => rows),
    [4, 4, 2],
  );
  const classes = batches.flatMap(({ targets, rows }) => [...targets.subarray(0, rows)]);
  assert.deepEqual(classes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual([...batches[2].targets], [8, 9, 9, 9]);
});

test('a limit takes examples spread evenly over the file', () => {
  const file = listOf(1000);
  const examples = indexExamples(file);
  const batches = [...validationExamples(file, examples, { ...options, batch: 5, limit: 2 })];
  assert.equal(batches.length, 2);
  const lengths = batches.flatMap(({ visible }) => [1, 3, 5, 7, 9].map((place) => visible[place]));
  assert.deepEqual(
    lengths,
    Array.from({ length: 10 }, (_, i) => ((i * 100) % 4) + 1),
  );
  const few = [...validationExamples(file, examples, { ...options, batch: 500, limit: 9 })];
  assert.deepEqual(
    few.map(({ rows }) => rows),
    [500, 500],
  );
});

test('examples that do not fit the context are refused with both numbers', () => {
  const file = listOf(8);
  const examples = indexExamples(file);
  const short = { ...options, context: 3, limit: 0 };
  const message = /has 4 tokens, but the context is 3: set model\.context to at least 4/;
  assert.throws(() => trainingExamples(file, examples, short), message);
  assert.throws(() => [...validationExamples(file, examples, short)], message);
  const none = fileOf([]);
  assert.throws(() => trainingExamples(none, indexExamples(none), options), /has no examples/);
});
