import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadImage, createCanvas } from '@napi-rs/canvas';
import { resolveConfig } from '../contract/resolveConfig.ts';
import type { Run } from '../contract/records.ts';
import { finishedRun } from '../contract/testing/runRecord.ts';
import { lossCurves, renderPng, type RunMetrics } from './figure.ts';

const run = (id: string, name: string): Run => finishedRun(name, { id });

/** A loss that falls from 5.5 with a little deterministic noise, validated every hundredth of it. */
function metrics(steps: number, floor: number): RunMetrics {
  const loss = (step: number): number =>
    floor + (5.5 - floor) * Math.exp((-12 * step) / steps) + 0.05 * Math.sin(step * 12.9898);
  return {
    steps: Array.from({ length: steps }, (_, i) => ({
      step: i + 1,
      loss: loss(i + 1),
      gradientNorm: 1,
      learningRate: 1e-3,
      milliseconds: 100,
      tokens: (i + 1) * 2048,
      tensorBytes: 0,
      rssBytes: 0,
      elapsedSeconds: i,
    })),
    validations: [1, 2, 3, 4].map((quarter) => ({
      step: (quarter * steps) / 4,
      loss: loss((quarter * steps) / 4) + 0.1,
      accuracy: null,
      tokens: 1000,
      milliseconds: 10,
    })),
  };
}

interface Line {
  id: string;
  data: [number, number][];
  color: string;
}

const linesOf = (option: ReturnType<typeof lossCurves>): Line[] =>
  option.series as unknown as Line[];

const subtitleOf = (option: ReturnType<typeof lossCurves>): string =>
  (option.title as { subtext: string }).subtext;

describe('loss curves', () => {
  const runs = [run('r-1', 'tiny-dense'), run('r-2', 'tiny-switchhead')];
  const option = lossCurves(runs, [metrics(600, 1.6), metrics(600, 1.7)]);

  test('each run has its raw, smoothed and validation series, in one colour', () => {
    const lines = linesOf(option);
    assert.deepEqual(
      lines.map(({ id }) => id),
      ['tiny-dense', 'tiny-switchhead'].flatMap((name) =>
        ['training', 'smoothed', 'validation'].map((kind) => `${name}/${kind}`),
      ),
    );
    assert.deepEqual(
      lines.map(({ data }) => data.length),
      [600, 600, 4, 600, 600, 4],
    );
    assert.equal(new Set(lines.slice(0, 3).map(({ color }) => color)).size, 1);
    assert.equal(new Set(lines.map(({ color }) => color)).size, 2);
    assert.deepEqual(lines[0].data[599], [600, metrics(600, 1.6).steps[599].loss]);
  });

  test('axes have their units, the subtitle says how it was smoothed and what lies outside', () => {
    const { xAxis, yAxis } = option as Record<'xAxis' | 'yAxis', { name: string; max: number }>;
    assert.equal(xAxis.name, 'Step');
    assert.equal(xAxis.max, 600);
    assert.equal(yAxis.name, 'Loss (nats per token)');
    const config = resolveConfig({ model: { task: 'classification' } });
    const classified = lossCurves([{ ...runs[0], config }], [metrics(600, 1.6)]);
    assert.equal(
      (classified as typeof option & { yAxis: { name: string } }).yAxis.name,
      'Loss (nats per example)',
    );
    assert.match(subtitleOf(option), /two-sided exponential average, half-life 5 steps/u);
    assert.match(subtitleOf(option), /Training losses above \d\.\d in the first 30 steps/u);
    assert.ok(yAxis.max < 5.5);
  });

  test('a spike after the opening stays inside the plot', () => {
    const spiked = metrics(600, 1.6);
    const steps = spiked.steps.map((metric) =>
      metric.step === 400 ? { ...metric, loss: 7 } : metric,
    );
    const { yAxis } = lossCurves([runs[0]], [{ ...spiked, steps }]) as { yAxis: { max: number } };
    assert.ok(yAxis.max >= 7);
  });

  test('long runs are thinned, extremes kept, and the subtitle says so', () => {
    const long = metrics(50_000, 1.6);
    const thinned = lossCurves([runs[0]], [long]);
    const [raw] = linesOf(thinned);
    assert.ok(raw.data.length <= 1600);
    const lowest = Math.min(...long.steps.map(({ loss }) => loss));
    assert.equal(Math.min(...raw.data.map(([, y]) => y)), lowest);
    assert.match(subtitleOf(thinned), /Of 50,000 steps, each group of about 63/u);
  });

  test('the legend gives the best validation loss, or says that there is nothing yet', () => {
    const { legend } = lossCurves(runs, [metrics(40, 1.6), { steps: [], validations: [] }]) as {
      legend: { formatter: (name: string) => string };
    };
    assert.match(legend.formatter('tiny-dense'), /^tiny-dense: best validation \d\.\d{3}$/u);
    assert.equal(legend.formatter('tiny-switchhead'), 'tiny-switchhead: no steps yet');
  });

  test('equal names are told apart by their ids', () => {
    const twins = [run('r-1', 'same'), run('r-2', 'same')];
    const { legend } = lossCurves(twins, [metrics(40, 1.6), metrics(40, 1.7)]) as {
      legend: { data: { name: string }[] };
    };
    assert.deepEqual(
      legend.data.map(({ name }) => name),
      ['same (r-1)', 'same (r-2)'],
    );
  });

  test('a run without metrics, and a loss that is not a number, do no harm', () => {
    const empty = { steps: [], validations: [] };
    assert.equal(linesOf(lossCurves([runs[0]], [empty])).length, 3);
    const broken = metrics(40, 1.6);
    const steps = [...broken.steps.slice(0, 39), { ...broken.steps[39], loss: NaN }];
    assert.equal(linesOf(lossCurves([runs[0]], [{ ...broken, steps }]))[0].data.length, 39);
    assert.ok(renderPng(lossCurves([runs[0]], [empty])).length > 1000);
  });
});

test('the drawing is a PNG of twice the size, with text and both colours in it', async () => {
  const runs = [run('r-1', 'tiny-dense'), run('r-2', 'tiny-switchhead')];
  const png = renderPng(lossCurves(runs, [metrics(600, 1.6), metrics(600, 1.9)]));
  assert.deepEqual([...png.subarray(0, 8)], [137, 80, 78, 71, 13, 10, 26, 10]);
  const image = await loadImage(png);
  assert.equal(image.width, 1920);
  assert.equal(image.height, 1120);

  const canvas = createCanvas(image.width, image.height);
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  const share = (x: number, y: number, w: number, h: number, [r, g, b]: number[]): number => {
    const { data } = context.getImageData(x, y, w, h);
    let near = 0;
    for (let i = 0; i < data.length; i += 4)
      if (Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 40)
        near++;
    return near / (w * h);
  };
  const plot = [144, 200, 1700, 800] as const;
  assert.ok(share(...plot, [0x00, 0x72, 0xb2]) > 0.001, 'the first run is drawn');
  assert.ok(share(...plot, [0xd5, 0x5e, 0x00]) > 0.001, 'the second run is drawn');
  assert.ok(share(40, 30, 600, 60, [0x1f, 0x29, 0x33]) > 0.03, 'the title is drawn');
});
