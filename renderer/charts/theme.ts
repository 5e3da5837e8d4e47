/** Colours and type of charts, for either theme: plain values, so that option builders stay pure. */
import type { ModelConfig } from '../../core/contract/config.ts';

export interface ChartTheme {
  ink: string;
  quiet: string;
  grid: string;
  surface: string;
  line: string;
  /** One a run, by `colorOf`. */
  series: readonly string[];
}

export const chartFont = "'Inter Variable', system-ui, sans-serif";

/** Chosen to be told apart with any colour vision, each at least 3 : 1 against its background. */
const lightSeries = [
  '#1a6fd6',
  '#c2510c',
  '#0a8560',
  '#a63d8f',
  '#8a6a00',
  '#0f7f9c',
  '#6a4fc4',
  '#b02a3c',
];
const darkSeries = [
  '#6aa9ff',
  '#ff9456',
  '#3ecf9b',
  '#ea8bd2',
  '#e2bd4b',
  '#58c8e3',
  '#ab98ff',
  '#ff8490',
];

export const lightTheme: ChartTheme = {
  ink: '#131c27',
  quiet: '#5d6979',
  grid: '#e7ebf0',
  surface: '#ffffff',
  line: '#b4bdc9',
  series: lightSeries,
};

export const darkTheme: ChartTheme = {
  ink: '#e9eef5',
  quiet: '#93a0b1',
  grid: '#232c37',
  surface: '#1b222c',
  line: '#465262',
  series: darkSeries,
};

export const chartTheme = (dark: boolean): ChartTheme => (dark ? darkTheme : lightTheme);

/** Shapes of validation marks: with the eight colours, a pair repeats after 32 runs. */
const symbols = ['circle', 'rect', 'triangle', 'diamond'] as const;

/** The shape for a run's place among all runs, by `colors.placeOf`. */
export const symbolOf = (place: number): string =>
  symbols[(place + Math.floor(place / lightSeries.length)) % symbols.length];

/** The shape for an architecture; with expert feed-forwards it is a triangle, whatever the attention. */
export function architectureSymbol({
  attention,
  feedForward,
}: Pick<ModelConfig, 'attention' | 'feedForward'>): string {
  return feedForward === 'dense' ? attentionSymbols[attention] : 'triangle';
}

const attentionSymbols: Record<ModelConfig['attention'], string> = {
  dense: 'circle',
  switchhead: 'diamond',
  moa: 'rect',
};

/** {@link architectureSymbol} in words. */
export const symbolWords =
  'Circle: dense. Diamond: SwitchHead. Square: MoA. Triangle: SwitchAll or σ-MoE.';
