import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publishedPoints } from '../../../core/contract/paper.ts';
import { paperDatasets } from '../../../core/contract/paperPresets.ts';
import { publishedOn } from './published.ts';

test('every printed row of a dataset is a point, and what two tables print alike is one', () => {
  for (const dataset of paperDatasets) {
    const printed = publishedPoints.filter((row) => row.dataset === dataset);
    const points = publishedOn(dataset, ({ macs }) => macs);
    assert.ok(points.length > 0 && points.length <= printed.length);
    assert.equal(new Set(points.map(({ runId }) => runId)).size, points.length);
    for (const { macs, loss } of printed)
      assert.ok(points.some((point) => point.cost === macs && point.loss === loss));
  }
  const both = publishedOn('pes2o', ({ macs }) => macs).filter(
    ({ published }) => published?.tables === 'tables 2 and 3',
  );
  assert.deepEqual(both.map(({ name }) => name).toSorted(), [
    'Transformer 262M H16',
    'Transformer 47M H10',
  ]);
});

test('a point says what was printed and where, in the unit that its dataset has', () => {
  const [first] = publishedOn('wikitext103', ({ parameters }) => parameters);
  assert.equal(first.name, 'SwitchHead 47M H2');
  assert.equal(first.cost, 47e6);
  assert.equal(first.published?.tables, 'table 1');
  assert.equal(first.published.metric, 'perplexity 12.27');
  assert.ok(Math.abs(first.loss - Math.log(12.27)) < 1e-12);
  const characters = publishedOn('enwik8', ({ floats }) => floats);
  assert.match(characters[0].published?.metric ?? '', /^bits per character 1\.1$/u);
});
