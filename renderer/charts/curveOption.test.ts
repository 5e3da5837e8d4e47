import assert from 'node:assert/strict';
import { test } from 'node:test';
import { curveOption, extremes, type CurveStyle } from './curveOption.ts';
import { curveView, type ViewOptions } from './curveView.ts';
import { points, run, summary, validation } from './testing/records.ts';
import { lightTheme, symbolOf } from './theme.ts';

const options: ViewOptions = {
  ...{ metric: 'loss', axis: 'step', halfLife: 5, logX: false, logY: false, range: null },
  most: 800,
  rows: 6,
};
const style: CurveStyle = {
  ...{ metric: 'loss', axis: 'step', theme: lightTheme, highlighted: null, compact: false },
  ...{ width: 700, height: 300 },
  look: (id) => ({ name: id, color: '#123456', symbol: 'rect' }),
};
const histories = ['a', 'b'].map((name) => ({
  run: run(name),
  points: points(100, (step) => 2 + 1 / step),
  validations: [validation(50, 2.1), validation(100, 2.05)],
}));

interface Line {
  id: string;
  data: [number, number][];
  lineStyle: { opacity: number; type?: number[] };
  symbol?: string;
}
const linesOf = (option: ReturnType<typeof curveOption>): Line[] =>
  (option.series as unknown as (Omit<Line, 'data'> & { data: Float64Array })[]).map((line) => ({
    ...line,
    data: Array.from({ length: line.data.length / 2 }, (_, i) => [
      line.data[2 * i],
      line.data[2 * i + 1],
    ]),
  }));

test('each run is drawn raw, smoothed, and validated with dashes and marks', () => {
  const lines = linesOf(curveOption(curveView(histories, options), style));
  assert.deepEqual(
    lines.map(({ id }) => id),
    ['r-a', 'r-b'].flatMap((id) =>
      ['raw', 'smoothed', 'validation'].map((kind) => `${id}/${kind}`),
    ),
  );
  assert.deepEqual(
    lines.slice(0, 3).map(({ data }) => data.length),
    [100, 100, 2],
  );
  assert.deepEqual(lines[2].data[1], [100, 2.05]);
  assert.equal(lines[2].symbol, 'rect');
  assert.ok(lines[2].lineStyle.type);
});

test('what is not highlighted steps back', () => {
  const lines = linesOf(
    curveOption(curveView(histories, options), { ...style, highlighted: 'r-b' }),
  );
  assert.ok(lines[1].lineStyle.opacity < 0.5);
  assert.equal(lines[4].lineStyle.opacity, 1);
});

test('logarithmic axes are given logarithms, with the values as labels', () => {
  const option = curveOption(curveView(histories, { ...options, logX: true }), style);
  assert.deepEqual(
    linesOf(option)[0].data[99].map((value) => Math.round(value * 100) / 100),
    [2, 2.01],
  );
  const { axisLabel, min, max } = option.xAxis as unknown as {
    axisLabel: { customValues: number[]; formatter: (value: number) => string };
    min: number;
    max: number;
  };
  assert.deepEqual([min, max], [0, 2]);
  assert.equal(axisLabel.formatter(axisLabel.customValues.at(-1) ?? 0), '100');
});

test('a summary goes through the lowest and highest value of each of its points', () => {
  const kept = summary(
    points(40, (step) => (step === 15 ? 9 : 2)),
    10,
  );
  const view = curveView([{ run: run('a'), points: kept, validations: [] }], options);
  assert.deepEqual(extremes(view.curves[0].stretches), [
    [5.5, 2],
    [15.5, 9],
    [15.5, 2],
    [25.5, 2],
    [35.5, 2],
  ]);
});

test('colour and mark together tell 32 runs apart', () => {
  const looks = Array.from({ length: 32 }, (_, i) => `${lightTheme.series[i % 8]} ${symbolOf(i)}`);
  assert.equal(new Set(looks).size, 32);
});
