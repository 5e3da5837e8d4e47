import assert from 'node:assert/strict';
import { test } from 'node:test';
import { curveView, type History, type ViewOptions } from './curveView.ts';
import { readingsAt, shownValue } from './readings.ts';
import { points, run, summary, validation } from './testing/records.ts';

const options: ViewOptions = {
  ...{ metric: 'loss', axis: 'step', halfLife: 0, logX: false, logY: false, range: null },
  most: 800,
  rows: 6,
};
const history = (name: string, steps: number, loss: number): History => ({
  run: run(name),
  points: points(steps, () => loss),
  validations: [validation(steps, loss + 0.1)],
});

test('each curve that reaches there has a reading, the lowest first', () => {
  const view = curveView(
    [history('a', 600, 3), history('b', 600, 2), history('short', 200, 1)],
    options,
  );
  const readings = readingsAt(view, 400.4);
  assert.deepEqual(
    readings.map((each) => [each.run.name, shownValue(each), each.stretch.lastStep]),
    [
      ['b', 2, 400],
      ['a', 3, 400],
    ],
  );
  assert.equal(readings[0].validation, null);
  assert.equal(readingsAt(view, 599)[0].validation, 2.1);
  assert.equal(readingsAt(view, 100)[0].run.name, 'short');
});

test('a stretch of many steps gives its extremes and its smoothed value', () => {
  const wavy = summary(
    points(600, (step) => 2 + (step % 2)),
    10,
  );
  const view = curveView([{ run: run('a'), points: wavy, validations: [] }], {
    ...options,
    halfLife: 20,
  });
  const [reading] = readingsAt(view, 300);
  assert.deepEqual([reading.stretch.low, reading.stretch.high], [2, 3]);
  assert.ok(Math.abs(shownValue(reading) - 2.5) < 1e-9);
});
