import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Dataset, Run } from '../../../core/contract/records.ts';
import { latestDataset } from './latestDataset.ts';

const dataset = (id: string, createdAt: string): Dataset => ({ id, createdAt }) as Dataset;
const run = (datasetId: string, createdAt: string): Run => ({ datasetId, createdAt }) as Run;

test('the dataset of the latest import or run is the usual one', () => {
  const datasets = [dataset('d-new', '2026-02-01'), dataset('d-old', '2026-01-01')];
  assert.equal(latestDataset([], []), null);
  assert.equal(latestDataset(datasets, []), 'd-new');
  assert.equal(latestDataset(datasets, [run('d-old', '2026-01-15')]), 'd-new');
  assert.equal(latestDataset(datasets, [run('d-old', '2026-03-01')]), 'd-old');
});
