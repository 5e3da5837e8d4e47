import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveConfig } from '../../../core/contract/resolveConfig.ts';
import { run } from '../../charts/testing/records.ts';
import { bestOf, cellText, columns, columnsFor, sortRows, type Column } from './columns.ts';
import { differences } from './differences.ts';

const column = (key: string): Column => {
  const found = columns.find((each) => each.key === key);
  assert.ok(found);
  return found;
};
const dense = run('dense');
const sparse = run('sparse', {
  attentionMacs: 6_300_000,
  bestValidationLoss: 1.7,
  millisecondsPerStep: 125,
});
const fresh = run('fresh', { bestValidationLoss: null, millisecondsPerStep: null });

test('the best of a column is marked where values compare and differ', () => {
  assert.deepEqual([...bestOf(column('bestValidationLoss'), [dense, sparse, fresh])], ['r-sparse']);
  assert.deepEqual([...bestOf(column('tokensPerSecond'), [dense, sparse])], ['r-dense']);
  assert.equal(bestOf(column('parameters'), [dense, sparse]).size, 0);
  assert.equal(bestOf(column('tokens'), [dense, sparse]).size, 0);
  const elsewhere = run('elsewhere', { datasetId: 'd-2', device: 'another' });
  assert.equal(bestOf(column('bestValidationLoss'), [dense, elsewhere]).size, 0);
  const slower = { ...elsewhere, millisecondsPerStep: 200 };
  assert.equal(bestOf(column('millisecondsPerStep'), [dense, slower]).size, 0);
});

test('relative to a run: differences of losses, ratios of costs, and none of what does not compare', () => {
  assert.equal(cellText(column('bestValidationLoss'), sparse, null), '1.7000');
  assert.equal(cellText(column('bestValidationLoss'), sparse, dense), '−0.0300');
  assert.equal(cellText(column('attentionMacs'), sparse, dense), '0.50×');
  assert.equal(cellText(column('millisecondsPerStep'), sparse, dense), '1.25×');
  assert.equal(cellText(column('tokens'), sparse, dense), '1.23M');
  assert.equal(cellText(column('bestValidationLoss'), fresh, dense), '–');
  const larger = run('larger', { config: resolveConfig({ training: { batch: 32 } }) });
  assert.equal(cellText(column('millisecondsPerStep'), larger, dense), '–');
});

test('rows sort by any column, those without a value last whichever way', () => {
  const names = (key: string, descending: boolean): string[] =>
    sortRows([fresh, dense, sparse], { key, descending }, ({ name }) => name).map(
      ({ name }) => name,
    );
  assert.deepEqual(names('bestValidationLoss', false), ['sparse', 'dense', 'fresh']);
  assert.deepEqual(names('bestValidationLoss', true), ['dense', 'sparse', 'fresh']);
  assert.deepEqual(names('name', true), ['sparse', 'fresh', 'dense']);
});

test('accuracies have a column only where a run has one; they compare on the same data', () => {
  const keys = (...runs: Parameters<typeof columnsFor>[0]): string[] =>
    columnsFor(runs).map(({ key }) => key);
  const good = run('good', { bestAccuracy: 0.951 });
  const better = run('better', { bestAccuracy: 0.963 });
  assert.ok(!keys(dense, sparse).includes('bestAccuracy'));
  assert.ok(keys(dense, good).includes('bestAccuracy'));
  const accuracy = column('bestAccuracy');
  assert.equal(cellText(accuracy, good, null), '95.1 %');
  assert.equal(cellText(accuracy, good, better), '−1.2 pp');
  assert.deepEqual([...bestOf(accuracy, [good, better, dense])], ['r-better']);
  const elsewhere = { ...better, datasetId: 'd-2' };
  assert.equal(bestOf(accuracy, [good, elsewhere]).size, 0);
  assert.equal(cellText(accuracy, good, elsewhere), '–');
});

test('what differs: fields with their labels, without those that are the same or have no effect', () => {
  const other = run('other', {
    config: resolveConfig({ model: { attention: 'dense', experts: 8 }, training: { seed: 7 } }),
  });
  const rows = differences([dense, other], (id) => id);
  assert.deepEqual(
    rows.map(({ label, values }) => [label, ...values]),
    [
      ['Attention', 'switchhead', 'dense'],
      ['Attention experts (E)', '4', '–'],
      ['Active attention experts (k)', '2', '–'],
      ['Projections with experts', 'vo', '–'],
      ['Selection', 'separate', '–'],
      ['Attention expert dropout', '0', '–'],
      ['Seed', '1', '7'],
    ],
  );
  assert.deepEqual(
    differences([dense, sparse], (id) => id),
    [],
  );
});
