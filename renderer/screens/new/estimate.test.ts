import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Dataset, Run } from '../../../core/contract/records.ts';
import { resolveConfig } from '../../../core/contract/resolveConfig.ts';
import { checkpointBytes, timeOf, tokensInAll } from './estimate.ts';

const config = resolveConfig({ training: { steps: 600, batch: 16, accumulate: 2 } });
const dataset = { id: 'd-1', vocabulary: 256 } as Dataset;
const datasetOf = (): Dataset => dataset;
const run = {
  ...{ id: 'r-1', backend: 'wasm', datasetId: 'd-1', millisecondsPerStep: 50 },
  config: resolveConfig({ training: { steps: 10, batch: 16, accumulate: 2 } }),
} as Run;

test('tokens of the whole run', () => {
  assert.equal(tokensInAll(config), 600 * 16 * 2 * 128);
});

test('the checkpoints kept are the newest and the best, but no more than are written', () => {
  assert.equal(checkpointBytes(1000, config), 1000 * 12 * 3);
  const short = resolveConfig({ training: { steps: 100, checkpointEvery: 100 } });
  assert.equal(checkpointBytes(1000, short), 1000 * 12);
});

test('time comes only from a run that did the same work on the same backend', () => {
  assert.equal(timeOf(config, 256, 'wasm', [run], datasetOf)?.seconds, 30);
  assert.equal(timeOf(config, 256, 'cpu', [run], datasetOf), null);
  assert.equal(timeOf(config, 8000, 'wasm', [run], datasetOf), null);
  const wider = resolveConfig({ ...config, model: { width: 256 } });
  assert.equal(timeOf(wider, 256, 'wasm', [run], datasetOf), null);
  const unfinished = { ...run, millisecondsPerStep: null };
  assert.equal(timeOf(config, 256, 'wasm', [unfinished], datasetOf), null);
});
