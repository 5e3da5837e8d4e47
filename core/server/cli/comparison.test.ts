import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveConfig } from '../../contract/resolveConfig.ts';
import type { Run } from '../../contract/records.ts';
import { judge } from '../../contract/comparison.ts';
import { finishedRun as run } from '../../contract/testing/runRecord.ts';
import { comparisonTable, verdictLines } from './comparison.ts';

const dense = run('dense', {
  config: resolveConfig({ model: { attention: 'dense', heads: 8, headWidth: 16 } }),
});
const sparse = run('sparse', {
  attentionMacs: 6_300_000,
  bestValidationLoss: 1.7,
  millisecondsPerStep: 120,
});
const plain = (_style: unknown, text: string): string => text;

test('quantities go down, runs across, with units in the labels or the values', () => {
  const lines = comparisonTable([dense, sparse], () => 'shakespeare', 160, plain);
  const row = (label: string): string => lines.find((line) => line.startsWith(label)) ?? '';
  assert.match(lines[0], /dense +sparse$/u);
  assert.match(row('architecture'), /dense H8 +SwitchHead H2 E4 k2$/u);
  assert.match(row('parameters'), /857,088 +857,088$/u);
  assert.match(row('tokens per step'), /2,048 +2,048$/u);
  assert.match(row('attention MACs'), /12\.6M +6\.30M$/u);
  assert.match(row('time per step'), /100 ms +120 ms$/u);
  assert.match(row('peak memory, tensors (executor)'), /128 MiB +128 MiB$/u);
  assert.match(row('peak memory, process (RSS)'), /512 MiB +512 MiB$/u);
  assert.match(row('best validation loss (nats/token)'), /1\.7300 +1\.7000$/u);
  assert.match(row('best validation, bits per byte'), /2\.496 +2\.453$/u);
  assert.match(row('data'), /shakespeare +shakespeare$/u);
});

test('classifiers are compared per example and by accuracy', () => {
  const config = resolveConfig({ model: { task: 'classification' } });
  const first = run('first', { config, lastAccuracy: 0.9, bestAccuracy: 0.951 });
  const second = run('second', { config, bestValidationLoss: 1.8 });
  const lines = comparisonTable([first, second], () => 'listops', 160, plain);
  const row = (label: string): string => lines.find((line) => line.startsWith(label)) ?? '';
  assert.match(row('best validation loss (nats/example)'), /1\.7300 +1\.8000$/u);
  assert.match(row('best validation accuracy'), /95\.1 % +–$/u);
  assert.match(row('last validation accuracy'), /90\.0 % +–$/u);
  const [best] = verdictLines([first, second], judge([first, second]));
  assert.match(best, /^Best: first, .* nats\/example at step 500, best accuracy 95\.1 %\.$/u);
  assert.ok(
    !comparisonTable([dense], () => '', 160, plain)
      .join()
      .includes('accuracy'),
  );
});

test('bits per byte are of runs on bytes only', () => {
  const pairs = run('pairs', { config: resolveConfig({ data: { tokenizer: 'bpe:8000' } }) });
  const bits = (runs: Run[]): string | undefined =>
    comparisonTable(runs, () => '', 160, plain).find((line) => line.includes('bits per byte'));
  assert.match(bits([dense, pairs]) ?? '', /2\.496 +–$/u);
  assert.equal(bits([pairs]), undefined);
});

test('many runs wrap into blocks that fit', () => {
  const runs = Array.from({ length: 9 }, (_, i) => run(`run-number-${i}`, {}));
  const lines = comparisonTable(runs, () => 'shakespeare', 100, plain);
  assert.ok(lines.every((line) => [...line].length <= 100));
  for (const { name } of runs) assert.equal(lines.filter((line) => line.includes(name)).length, 1);
});

test('the verdict names the best run and its cost relative to the first', () => {
  const verdict = judge([dense, sparse]);
  assert.equal(verdict.best, sparse.id);
  assert.equal(verdict.reference, dense.id);
  assert.equal(verdict.ratios[sparse.id].attentionMacs, 0.5);
  assert.equal(verdict.ratios[sparse.id].millisecondsPerStep, 1.2);
  const [best, relative, ...more] = verdictLines([dense, sparse], verdict);
  assert.equal(best, 'Best: sparse, validation loss 1.7000 nats/token at step 500.');
  assert.match(relative, /^sparse relative to dense: loss −0\.0300, 1\.00× parameters, 0\.50×/u);
  assert.match(relative, /1\.20× time per step/u);
  assert.deepEqual(more, []);
});

test('what does not compare is said', () => {
  const elsewhere = run('elsewhere', { datasetId: 'd-2', device: 'another processor' });
  const verdict = judge([dense, elsewhere]);
  assert.equal(verdict.best, null);
  const lines = verdictLines([dense, elsewhere], verdict);
  assert.match(lines[0], /^No best run: they were validated on different data/u);
  assert.doesNotMatch(lines[1], /loss/u);
  assert.doesNotMatch(lines[1], /time per step|tensor memory/u);
  assert.match(lines[2], /^Times and memory were measured on different devices/u);

  const larger = run('larger', { config: resolveConfig({ training: { batch: 32 } }) });
  const [, steps, note] = verdictLines([dense, larger], judge([dense, larger]));
  assert.doesNotMatch(steps, /time per step|tensor memory/u);
  assert.match(note, /^Steps are of different numbers of tokens/u);

  const failed = run('failed', { device: null, millisecondsPerStep: null, peakTensorBytes: null });
  assert.equal(verdictLines([dense, failed], judge([dense, failed])).length, 2);

  const fresh = run('fresh', { bestValidationLoss: null, millisecondsPerStep: null });
  const unvalidated = judge([fresh]);
  assert.equal(unvalidated.ratios[fresh.id].millisecondsPerStep, null);
  assert.deepEqual(verdictLines([fresh], unvalidated), [
    'No best run: none has been validated yet.',
  ]);
});
