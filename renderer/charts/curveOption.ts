/** The ECharts option of a chart of curves: pure, and linear on both axes (see scale.ts). */
import type { EChartsOption, LineSeriesOption } from 'echarts';
import * as format from '../../core/contract/format.ts';
import type { Point } from '../../core/contract/smooth.ts';
import type { CurveView, DrawnCurve } from './curveView.ts';
import { project, ticks, timeTicks, type Scale } from './scale.ts';
import { axes, axisText, metrics, quantityOf, titleOf, type Axis, type Metric } from './series.ts';
import type { Stretch } from './stretches.ts';
import { chartFont, type ChartTheme } from './theme.ts';

/** Where the plot lies in its chart, in pixels from each edge. */
export interface Margins {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export const margins: Margins = { left: 66, right: 24, top: 12, bottom: 44 };
export const compactMargins: Margins = { left: 62, right: 10, top: 8, bottom: 24 };

/** How a run is drawn wherever it is. */
export interface Look {
  name: string;
  color: string;
  symbol: string;
}

export interface CurveStyle {
  metric: Metric;
  axis: Axis;
  theme: ChartTheme;
  /** By run id. */
  look: (runId: string) => Look;
  highlighted: string | null;
  compact: boolean;
  /** Of the whole chart, in pixels: how many labels fit. */
  width: number;
  height: number;
}

/** A view as an option: per run its raw curve, its smoothed one over it, and dashed validations. */
export function curveOption(view: CurveView, style: CurveStyle): EChartsOption {
  const { axis, metric, theme, compact, width, height } = style;
  const across = Math.max(2, Math.floor(width / (compact ? 80 : 110)));
  const up = Math.max(2, Math.floor(height / 48));
  const runs = view.curves.map(({ run }) => run);
  const xTicks = axis === 'time' ? timeTicks(view.x, across) : ticks(view.x, across);
  return {
    animation: false,
    textStyle: { fontFamily: chartFont, color: theme.ink },
    // Laid out by these margins alone: what lies over the plot is placed by them too.
    grid: { ...(compact ? compactMargins : margins), outerBoundsMode: 'none' },
    xAxis: {
      ...axisOption(view.x, xTicks, axes[axis].format, theme),
      ...(compact ? {} : { name: titleOf(axes[axis]), nameGap: 28 }),
      axisTick: {
        show: true,
        customValues: projected(view.x, xTicks),
        lineStyle: { color: theme.line },
      },
      axisLine: { show: true, lineStyle: { color: theme.line }, onZero: false },
      splitLine: { show: false },
    },
    yAxis: {
      ...axisOption(view.y, ticks(view.y, up), tickFormat(metric), theme),
      ...(compact ? {} : { name: titleOf(quantityOf(metric, runs)), nameGap: 48 }),
      axisLine: { show: false },
      splitLine: { lineStyle: { color: theme.grid } },
    },
    series: view.curves.flatMap((curve, index) => seriesOf(curve, index, view, style)),
  };
}

/** Values on an axis need fewer digits than those in a table. */
export function tickFormat(metric: Metric): (value: number) => string {
  if (metric === 'gradientNorm' || metric === 'loss') return plainTick;
  if (metric === 'learningRate')
    return (value) => (value === 0 ? '0' : value.toExponential(1).replace('.0e', 'e'));
  return metrics[metric].format;
}

/** Grouped, without the noise of the last digits; very large ones as powers of ten. */
export function plainTick(value: number): string {
  if (Math.abs(value) >= 1e6) return value.toExponential(2).replace(/\.?0*e\+?/u, 'e');
  return format.setting(value);
}

const projected = (scale: Scale, values: readonly number[]): number[] =>
  values.map((value) => project(scale, value));

export function axisOption(
  scale: Scale,
  values: readonly number[],
  print: (value: number) => string,
  theme: ChartTheme,
) {
  const labels = new Map(values.map((value) => [project(scale, value), axisText(print(value))]));
  const customValues = [...labels.keys()];
  return {
    type: 'value' as const,
    min: project(scale, scale.low),
    max: project(scale, scale.high),
    nameLocation: 'middle' as const,
    nameTextStyle: { fontSize: 12, color: theme.quiet, fontFamily: chartFont },
    axisTick: { show: false, customValues },
    axisLabel: {
      customValues,
      formatter: (value: number) => labels.get(value) ?? '',
      hideOverlap: true,
      fontSize: 11,
      color: theme.quiet,
      fontFamily: chartFont,
    },
  };
}

function seriesOf(
  { run, stretches, smoothed, validations }: DrawnCurve,
  index: number,
  { x, y }: CurveView,
  { highlighted, look, metric, theme }: CurveStyle,
): LineSeriesOption[] {
  const { color, symbol, name } = look(run.id);
  const stands = run.id === highlighted;
  const dimmed = highlighted !== null && !stands;
  // ECharts takes flat arrays too, and says so in its manual, but not in its types.
  const data = (points: readonly Point[]): number[] => flat(points, x, y) as unknown as number[];
  const z = stands ? 100 : 2 + index / 100;
  const line = {
    type: 'line' as const,
    ...{ showSymbol: false, silent: true, color },
    // How the flat arrays are read.
    ...{ dimensions: ['x', 'y'], encode: { x: 0, y: 1 } },
  };
  const alone = smoothed.length === 0;
  return [
    {
      ...line,
      id: `${run.id}/raw`,
      data: data(extremes(stretches)),
      // Validations are few: each is a mark.
      ...(metric === 'accuracy' ? { showSymbol: true, symbol, symbolSize: stands ? 9 : 7 } : {}),
      lineStyle: {
        width: alone ? (stands ? 2.4 : 1.6) : 0.8,
        opacity: (alone ? 0.95 : 0.28) * (dimmed ? 0.3 : 1),
      },
      z,
    },
    {
      ...line,
      id: `${run.id}/smoothed`,
      name,
      data: data(smoothed),
      lineStyle: { width: stands ? 3 : 2, opacity: dimmed ? 0.28 : 1 },
      z: z + 30,
    },
    {
      ...line,
      id: `${run.id}/validation`,
      data: data(validations),
      symbol,
      symbolSize: stands ? 9 : 7,
      showSymbol: true,
      lineStyle: { width: 1.4, type: [5, 4], opacity: dimmed ? 0.28 : 1 },
      itemStyle: {
        color,
        borderColor: theme.surface,
        borderWidth: 1,
        opacity: dimmed ? 0.28 : 1,
      },
      z: z + 60,
    },
  ];
}

/** One array of x, y, x, y …: ECharts takes it as it is, where it would copy each point of a list. */
function flat(points: readonly Point[], x: Scale, y: Scale): Float64Array {
  const numbers = new Float64Array(2 * points.length);
  let length = 0;
  for (const [at, value] of points) {
    // A logarithmic axis has no place for zero.
    if (y.log && value <= 0) continue;
    numbers[length++] = project(x, at);
    numbers[length++] = project(y, value);
  }
  return numbers.subarray(0, length);
}

/**
 * A line through single steps; where a point stands for several, from its lowest to its highest value
 * and on along the edge, so that many of them become a band.
 */
export function extremes(stretches: readonly Stretch[]): Point[] {
  const points: Point[] = [];
  for (const [i, { x, low, high }] of stretches.entries()) {
    if (low === high) points.push([x, low]);
    else if (i % 2 === 0) points.push([x, low], [x, high]);
    else points.push([x, high], [x, low]);
  }
  return points;
}
