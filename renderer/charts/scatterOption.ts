/** Quality against cost as an ECharts option: pure, and linear on both axes (see scale.ts). */
import type { EChartsOption } from 'echarts';
import { axisOption, margins, type Look, plainTick } from './curveOption.ts';
import { paretoFront, type Candidate } from './pareto.ts';
import { niceStep, project, ticks, timeTicks, type Scale } from './scale.ts';
import { chartFont, type ChartTheme } from './theme.ts';

/** A model's place: that of a run, or of one that was published. */
export interface ScatterPoint extends Candidate, Look {
  /** Of a published one any text that is no run's id. */
  runId: string;
  /** Drawn hollow and in no run's colour; beats nothing and is beaten by nothing. */
  published?: {
    /** Where it is printed: `table 2`. */
    tables: string;
    /** What is printed: `perplexity 12.31`. */
    metric: string;
    note?: string;
  };
}

export interface ScatterAxis {
  title: string;
  /** Of the losses. */
  unit: string;
  format: (value: number) => string;
  /** Labelled with round lengths of time; in seconds. */
  time?: boolean;
}

export interface ScatterScales {
  x: Scale;
  y: Scale;
}

/** Costs that differ by more than this factor are shown on a logarithmic axis. */
const wide = 12;

/** Axes that hold all points with room around them for marks and names. */
export function scatterScales(points: readonly ScatterPoint[]): ScatterScales {
  const costs = points.map(({ cost }) => cost);
  const losses = points.map(({ loss }) => loss);
  const log = Math.min(...costs) > 0 && Math.max(...costs) > wide * Math.min(...costs);
  // A run that has diverged would put all others on one line.
  const logLoss = Math.min(...losses) > 0 && Math.max(...losses) > wide * Math.min(...losses);
  return {
    x: log ? logRoom(costs) : room(costs),
    y: logLoss ? logRoom(losses) : room(losses),
  };
}

function logRoom(values: readonly number[]): Scale {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const factor = (high / low) ** 0.12;
  return { low: low / factor, high: high * factor, log: true };
}

function room(values: readonly number[]): Scale {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const span = high - low || Math.abs(high) * 0.2 || 1;
  const step = niceStep({ low, high: low + span * 1.3 }, 6);
  const under = Math.floor((low - span * 0.12) / step) * step;
  return {
    low: low >= 0 ? Math.max(0, under) : under,
    high: Math.ceil((high + span * 0.16) / step) * step,
    log: false,
  };
}

/**
 * Marks, those of runs with names, and the front as steps.
 * @param front whether the points compare at all
 */
export function scatterOption(
  points: readonly ScatterPoint[],
  axis: ScatterAxis,
  {
    theme,
    highlighted,
    front,
    width,
    height,
  }: {
    theme: ChartTheme;
    highlighted: string | null;
    front: boolean;
    /** Of the plot, in pixels. */
    width: number;
    height: number;
  },
): EChartsOption {
  const { x, y } = scatterScales(points);
  const across = Math.max(2, Math.floor(width / 100));
  const xTicks = axis.time === true ? timeTicks(x, across) : ticks(x, across);
  const yTicks = ticks(y, Math.max(2, Math.floor(height / 48)));
  const middle = (project(x, x.low) + project(x, x.high)) / 2;
  const place = ({ cost, loss }: Candidate): number[] => [project(x, cost), project(y, loss)];
  return {
    animation: false,
    textStyle: { fontFamily: chartFont, color: theme.ink },
    grid: margins,
    xAxis: {
      ...axisOption(x, xTicks, axis.format, theme),
      ...{ name: x.log ? `${axis.title}, logarithmic` : axis.title, nameGap: 28 },
      axisLine: { show: true, lineStyle: { color: theme.line }, onZero: false },
      splitLine: { lineStyle: { color: theme.grid } },
    },
    yAxis: {
      ...axisOption(y, yTicks, plainTick, theme),
      ...{
        name: `Best validation loss (${axis.unit})${y.log ? ', logarithmic' : ''}`,
        nameGap: 48,
      },
      axisLine: { show: false },
      splitLine: { lineStyle: { color: theme.grid } },
    },
    series: [
      {
        id: 'front',
        type: 'line',
        step: 'end',
        silent: true,
        showSymbol: false,
        data: front ? frontLine(points, x, y, place) : [],
        lineStyle: { width: 1.4, type: [4, 4], color: theme.line },
        z: 1,
      },
      {
        id: 'runs',
        type: 'scatter',
        silent: true,
        labelLayout: { hideOverlap: true },
        data: points.map((point) => mark(point, place(point), middle, highlighted, theme)),
      },
    ],
  };
}

/** A point as its mark and, of a run, its name on the side where there is room. */
function mark(
  point: ScatterPoint,
  value: number[],
  middle: number,
  highlighted: string | null,
  theme: ChartTheme,
) {
  const hollow = point.published !== undefined;
  const stands = point.runId === highlighted;
  const dimmed = highlighted !== null && !stands;
  return {
    value,
    symbol: point.symbol,
    symbolSize: stands ? 17 : hollow ? 10 : 12,
    itemStyle: {
      color: hollow ? theme.surface : point.color,
      opacity: dimmed ? 0.35 : 1,
      borderColor: hollow ? theme.quiet : theme.surface,
      borderWidth: 1.5,
    },
    label: {
      // Published ones stand too close together for names; the pointer brings them.
      show: !hollow,
      position: value[0] > middle ? ('left' as const) : ('right' as const),
      formatter: point.name,
      fontSize: 11.5,
      fontFamily: chartFont,
      fontWeight: stands ? ('bold' as const) : ('normal' as const),
      color: dimmed ? theme.quiet : theme.ink,
      width: 180,
      overflow: 'truncate' as const,
    },
    z: stands ? 10 : hollow ? 2 : 3,
  };
}

/** From the upper edge down the front's steps to the right edge. */
function frontLine(
  points: readonly ScatterPoint[],
  x: Scale,
  y: Scale,
  place: (candidate: Candidate) => number[],
): number[][] {
  const front = paretoFront(points.filter(({ published }) => published === undefined));
  const first = front.at(0);
  const last = front.at(-1);
  if (first === undefined || last === undefined) return [];
  return [
    place({ cost: first.cost, loss: y.high }),
    ...front.map(place),
    place({ cost: x.high, loss: last.loss }),
  ];
}
