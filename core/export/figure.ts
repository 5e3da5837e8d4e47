/**
 * The loss curves of several runs as a figure: a pure function from records to an ECharts option, and
 * one function that draws an option to PNG without a browser. The same option serves the app.
 */
import { createRequire } from 'node:module';
import { createCanvas, GlobalFonts } from '@napi-rs/canvas';
import * as echarts from 'echarts';
import type { EChartsOption, SeriesOption } from 'echarts';
import { lossUnit } from '../contract/comparison.ts';
import { distinctNames } from '../contract/distinctNames.ts';
import type { Run, StepMetric, ValidationMetric } from '../contract/records.ts';
import { smooth, thin, type Point } from '../contract/smooth.ts';

export interface RunMetrics {
  steps: readonly StepMetric[];
  validations: readonly ValidationMetric[];
}

export interface FigureSize {
  /** Logical pixels; the file has `density` times as many. */
  width: number;
  height: number;
  density: number;
}

export const defaultSize: FigureSize = { width: 960, height: 560, density: 2 };

/** Points of one curve that are drawn at most: about two per logical pixel of the plot. */
const drawnPoints = 1600;

/** Okabe and Ito's palette, told apart with any colour vision; its yellow is too pale for lines. */
const palette = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000'];
/** Four shapes and seven colours: 28 runs before a pair repeats. */
const symbols = ['circle', 'rect', 'triangle', 'diamond'];

const ink = '#1f2933';
const quiet = '#5f6b7a';
const grid = '#e4e7eb';
const font = 'DejaVu Sans';

/**
 * Training and validation loss over steps. Training: every step thin and light, its smoothed curve
 * over it. Validation: markers and a dashed line in the run's colour; the legend names its best value.
 * @param metrics of each run, in the same order
 */
export function lossCurves(runs: readonly Run[], metrics: readonly RunMetrics[]): EChartsOption {
  const distinct = distinctNames(runs);
  const names = runs.map(({ id, name }) => distinct.get(id) ?? name);
  const lastStep = Math.max(
    1,
    ...metrics.flatMap(({ steps, validations }) => [
      steps.at(-1)?.step ?? 0,
      validations.at(-1)?.step ?? 0,
    ]),
  );
  const halfLife = niceHalfLife(lastStep);
  const curves = metrics.map(({ steps }) => trainingCurve(steps, halfLife));
  const range = lossRange(curves, metrics, lastStep);
  const subtitle = [
    `Thin: training loss of each step. Thick: its two-sided exponential average, half-life ${halfLife} ${halfLife === 1 ? 'step' : 'steps'}. Dashed, with markers: validation loss.`,
    ...notes(metrics, range),
  ];
  const top = 62 + subtitle.length * subtitleLine;

  return {
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: font, color: ink },
    title: {
      text: 'Training and validation loss',
      subtext: subtitle.join('\n'),
      left: 20,
      top: 14,
      itemGap: 8,
      textStyle: { fontSize: 18, fontWeight: 'bold', color: ink, fontFamily: font },
      subtextStyle: {
        fontSize: 11.5,
        lineHeight: subtitleLine,
        color: quiet,
        fontFamily: font,
      },
    },
    // Losses fall, so the upper right corner is where no curve is.
    legend: {
      data: names.map((name, index) => ({ name, icon: symbolOf(index) })),
      formatter: (name) => legendText(name, metrics[names.indexOf(name)]),
      orient: 'vertical',
      align: 'left',
      right: 40,
      top: top + 6,
      padding: [8, 12],
      itemGap: 9,
      itemWidth: 11,
      itemHeight: 11,
      backgroundColor: 'rgba(255, 255, 255, 0.88)',
      textStyle: { fontSize: 13, color: ink, fontFamily: font },
    },
    grid: { left: 72, right: 36, top, bottom: 60 },
    xAxis: {
      type: 'value',
      name: 'Step',
      nameLocation: 'middle',
      nameGap: 32,
      min: 0,
      max: lastStep,
      ...axisStyle,
      splitLine: { show: false },
      axisTick: { show: true, lineStyle: { color: quiet } },
    },
    yAxis: {
      type: 'value',
      name: `Loss (${lossUnit(runs)})`,
      nameLocation: 'middle',
      nameGap: 46,
      min: range.low,
      max: range.high,
      interval: range.interval,
      ...axisStyle,
      axisLabel: {
        ...axisStyle.axisLabel,
        formatter: (value) => value.toFixed(range.interval < 0.1 ? 2 : 1),
      },
      splitLine: { lineStyle: { color: grid } },
      axisLine: { show: false },
      axisTick: { show: false },
    },
    series: runs.flatMap((_run, index): SeriesOption[] => [
      ...trainingSeries(names[index], curves[index], colorOf(index)),
      validationSeries(names[index], metrics[index].validations, index),
    ]),
  };
}

const subtitleLine = 17;
const colorOf = (index: number): string => palette[index % palette.length];
const symbolOf = (index: number): string => symbols[index % symbols.length];

/** What a reader must know to trust the drawing, where it applies. */
function notes(metrics: readonly RunMetrics[], range: LossRange): string[] {
  const longest = Math.max(...metrics.map(({ steps }) => steps.length));
  const thinned = `Of ${longest.toLocaleString('en-US')} steps, each group of about ${Math.ceil((2 * longest) / drawnPoints)} is drawn by its lowest and highest value, so spikes stay.`;
  const above = `Training losses above ${range.high.toFixed(1)} in the first ${range.openingSteps.toLocaleString('en-US')} steps lie outside the plot.`;
  return [...(longest > drawnPoints ? [thinned] : []), ...(range.openingAbove ? [above] : [])];
}

function legendText(name: string, { steps, validations }: RunMetrics): string {
  if (steps.length === 0 && validations.length === 0) return `${name}: no steps yet`;
  const best = Math.min(...validations.map(({ loss }) => loss));
  return Number.isFinite(best) ? `${name}: best validation ${best.toFixed(3)}` : name;
}

const axisStyle = {
  nameTextStyle: { fontSize: 13, color: ink, fontFamily: font },
  axisLabel: { fontSize: 12, color: quiet, fontFamily: font },
  axisLine: { lineStyle: { color: quiet } },
} as const;

interface Curve {
  raw: Point[];
  smoothed: Point[];
}

/** Smooths all points first and thins only what is drawn. */
function trainingCurve(steps: readonly StepMetric[], halfLife: number): Curve {
  const points = steps
    .filter(({ loss }) => Number.isFinite(loss))
    .map(({ step, loss }): Point => [step, loss]);
  return {
    raw: thin(points, drawnPoints),
    smoothed: thin(smooth(points, halfLife), drawnPoints),
  };
}

function trainingSeries(name: string, { raw, smoothed }: Curve, color: string): SeriesOption[] {
  const line = { type: 'line', showSymbol: false, silent: true, color } as const;
  return [
    {
      ...line,
      id: `${name}/training`,
      name: `${name}, training, each step`,
      data: raw.map(([x, y]) => [x, y]),
      lineStyle: { width: 0.8, opacity: 0.22 },
      z: 2,
    },
    {
      ...line,
      id: `${name}/smoothed`,
      name: `${name}, training, smoothed`,
      data: smoothed.map(([x, y]) => [x, y]),
      lineStyle: { width: 2, opacity: 0.95 },
      z: 3,
    },
  ];
}

/** The series the legend names: the loss that counts. */
function validationSeries(
  name: string,
  validations: readonly ValidationMetric[],
  index: number,
): SeriesOption {
  const color = colorOf(index);
  return {
    type: 'line',
    id: `${name}/validation`,
    name,
    color,
    data: validations
      .filter(({ loss }) => Number.isFinite(loss))
      .map(({ step, loss }) => [step, loss]),
    symbol: symbolOf(index),
    symbolSize: 8,
    showSymbol: true,
    lineStyle: { width: 1.4, type: [5, 4] },
    itemStyle: { color, borderColor: '#ffffff', borderWidth: 1.2 },
    z: 4,
  };
}

/** About one percent of the run, as a round number of steps. */
function niceHalfLife(lastStep: number): number {
  const wanted = Math.max(1, lastStep / 100);
  const unit = 10 ** Math.floor(Math.log10(wanted));
  return ([1, 2, 5, 10].find((factor) => factor * unit >= wanted * 0.75) ?? 10) * unit;
}

interface LossRange {
  low: number;
  high: number;
  interval: number;
  /** Steps at the start whose plunge may leave the plot, and whether it does. */
  openingSteps: number;
  openingAbove: boolean;
}

/**
 * Round limits that hold everything after the opening, spikes included. The plunge of the opening
 * steps from log V would squash what is worth seeing into a strip at the bottom.
 */
function lossRange(
  curves: readonly Curve[],
  metrics: readonly RunMetrics[],
  lastStep: number,
): LossRange {
  const openingSteps = Math.floor(lastStep / 20);
  const training = curves.flatMap(({ raw }) => raw);
  const later = training.filter(([step]) => step > openingSteps).map(([, loss]) => loss);
  const validation = metrics
    .flatMap(({ validations }) => validations.map(({ loss }) => loss))
    .filter((loss) => Number.isFinite(loss));
  const values = [...(later.length > 0 ? later : training.map(([, loss]) => loss)), ...validation];
  if (values.length === 0)
    return { low: 0, high: 1, interval: 0.2, openingSteps, openingAbove: false };
  const lowest = Math.min(...values);
  const highest = Math.max(...values);
  const interval = niceInterval(highest - lowest);
  const high = round(Math.floor(highest / interval + 1) * interval);
  return {
    low: round(Math.floor(lowest / interval) * interval),
    high,
    interval,
    openingSteps,
    openingAbove: training.some(([step, loss]) => step <= openingSteps && loss > high),
  };
}

/** The smallest round distance between grid lines that needs no more than about seven of them. */
function niceInterval(range: number): number {
  const intervals = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];
  return (
    intervals.find((interval) => range / interval <= 6) ?? 10 ** Math.ceil(Math.log10(range / 6))
  );
}

const round = (value: number): number => Number(value.toFixed(6));

let fontsReady = false;

/** Machines without fonts draw the same figure: DejaVu Sans comes from a package. */
function registerFonts(): void {
  if (fontsReady) return;
  const require = createRequire(import.meta.url);
  for (const file of ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'])
    GlobalFonts.registerFromPath(require.resolve(`dejavu-fonts-ttf/ttf/${file}`), font);
  fontsReady = true;
}

/** Draws an option to a PNG image. */
export function renderPng(option: EChartsOption, size: FigureSize = defaultSize): Buffer {
  registerFonts();
  // ECharts asks for canvases of its own, to measure text.
  echarts.setPlatformAPI({
    createCanvas: () => createCanvas(32, 32) as unknown as HTMLCanvasElement,
  });
  const canvas = createCanvas(size.width, size.height);
  const chart = echarts.init(canvas, null, {
    renderer: 'canvas',
    devicePixelRatio: size.density,
    width: size.width,
    height: size.height,
  });
  try {
    chart.setOption(option);
    return canvas.toBuffer('image/png');
  } finally {
    chart.dispose();
  }
}
