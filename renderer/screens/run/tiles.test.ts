import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveConfig } from '../../../core/contract/resolveConfig.ts';
import type { Run } from '../../../core/contract/records.ts';
import { run } from '../../charts/testing/records.ts';
import { tilesOf, type Tile } from './tiles.ts';

const tile = (of: Run, label: string): Tile | undefined =>
  tilesOf(of, of.step, undefined, null).find((each) => each.label === label);

const language = run('language', { bestValidationLoss: Math.log(8) });
const pairs = { ...language, config: resolveConfig({ data: { tokenizer: 'bpe:8000' } }) };
const classifier = run('classifier', {
  config: resolveConfig({ model: { task: 'classification' } }),
  bestValidationLoss: Math.log(8),
  lastAccuracy: 0.9474,
  bestAccuracy: 0.951,
});

test('a loss on bytes is shown as perplexity and as bits per byte, on byte pairs as perplexity alone', () => {
  assert.equal(
    tile(language, 'Best validation loss')?.more,
    'perplexity 8.00, 3.000 bits per byte',
  );
  assert.equal(tile(pairs, 'Best validation loss')?.more, 'perplexity 8.00');
  assert.equal(tile(language, 'Best validation loss')?.detail, 'nats per token, step 500');
});

test('a classifier has an accuracy and no perplexity, a language model the other way round', () => {
  const accuracy = tile(classifier, 'Best validation accuracy');
  assert.equal(accuracy?.value, '95.1 %');
  assert.equal(accuracy.detail, 'last 94.7 %');
  const loss = tile(classifier, 'Best validation loss');
  assert.equal(loss?.detail, 'nats per example, step 500');
  assert.equal(loss.more, undefined);
  assert.equal(tile(language, 'Best validation accuracy'), undefined);
});
