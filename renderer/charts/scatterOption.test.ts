import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paretoFront } from './pareto.ts';
import { scatterOption, scatterScales, type ScatterPoint } from './scatterOption.ts';
import { lightTheme } from './theme.ts';

const point = (name: string, cost: number, loss: number): ScatterPoint => ({
  runId: `r-${name}`,
  ...{ name, cost, loss, color: '#123456', symbol: 'circle' },
});
const points = [
  point('cheap', 1, 2),
  point('beaten', 2, 2.1),
  point('middle', 3, 1.8),
  point('same cost, worse', 3, 1.9),
  point('best', 5, 1.7),
];

test('the front is what no other point beats on both sides', () => {
  assert.deepEqual(
    paretoFront(points).map(({ name }) => name),
    ['cheap', 'middle', 'best'],
  );
  assert.deepEqual(paretoFront([]), []);
});

test('all points lie inside the axes; wide costs get a logarithmic one', () => {
  for (const list of [points, [point('alone', 7, 2)], [point('a', 1, 2), point('b', 1000, 2)]]) {
    const { x, y } = scatterScales(list);
    for (const { cost, loss } of list)
      assert.ok(cost > x.low && cost < x.high && loss > y.low && loss < y.high);
  }
  assert.equal(scatterScales(points).x.log, false);
  assert.equal(scatterScales(points).y.log, false);
  assert.equal(scatterScales([...points, point('diverged', 2, 600)]).y.log, true);
  assert.equal(scatterScales([point('a', 1, 2), point('b', 1000, 2)]).x.log, true);
});

test('the front is drawn only where the points compare', () => {
  const style = { theme: lightTheme, highlighted: null, width: 600, height: 300 };
  const axis = { title: 'Parameters', unit: 'nats per token', format: String };
  const front = (compares: boolean): unknown[] => {
    const { series } = scatterOption(points, axis, { ...style, front: compares });
    return (series as { data: unknown[] }[])[0].data;
  };
  assert.equal(front(true).length, 5);
  assert.equal(front(false).length, 0);
});

test('published points are hollow and without names, inside the axes, and no part of the front', () => {
  const published = { ...point('paper', 0.5, 1), published: { tables: 'table 2', metric: '' } };
  const all = [...points, published];
  const { x, y } = scatterScales(all);
  assert.ok(published.cost > x.low && published.loss > y.low);
  const axis = { title: 'Parameters', unit: 'nats per token', format: String };
  const style = { theme: lightTheme, highlighted: null, front: true, width: 600, height: 300 };
  const { series } = scatterOption(all, axis, style);
  const [front, runs] = series as [
    { data: number[][] },
    { data: { itemStyle: { color: string }; label: { show: boolean } }[] },
  ];
  assert.equal(front.data.length, 5);
  assert.equal(runs.data.at(-1)?.itemStyle.color, lightTheme.surface);
  assert.equal(runs.data.at(0)?.itemStyle.color, '#123456');
  assert.deepEqual(
    runs.data.map(({ label }) => label.show),
    [...points.map(() => true), false],
  );
});
