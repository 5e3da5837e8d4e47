/** The line under a chart of curves: what exactly is drawn, so that no view passes for more than it is. */
import * as format from '../../core/contract/format.ts';
import { tickFormat } from './curveOption.ts';
import type { CurveView } from './curveView.ts';
import { halfLifeWords } from './halfLife.ts';
import { axisText, metrics, type Metric } from './series.ts';

/**
 * Sentences; the first says for how many steps each point stands.
 * @param canZoom whether the view can be made more exact: not so in a picture
 */
export function drawnNote(view: CurveView, metric: Metric, canZoom = true): string[] {
  const { noisy } = metrics[metric];
  const drawn = view.curves.filter(({ stretches }) => stretches.length > 0);
  if (drawn.length === 0) return [];
  const zoom = isSummary(view) ? '; drag to zoom in for every step' : '; drag to zoom';
  const halfLives = drawn.map(({ halfLife }) => halfLife);
  const smooths = noisy && halfLives.some((halfLife) => halfLife > 0);
  const differ = new Set(halfLives).size > 1;
  const smoothing = `Thick: their two-sided average, half-life ${halfLifeWords(halfLives)}${differ ? ', about 1 % of each run' : ''}.`;
  const validates = drawn.some(({ validations }) => validations.length > 0);
  const points = metric === 'accuracy' ? 'Every validation' : resolution(view, noisy);
  return [
    `${points}${canZoom ? zoom : ''}.`,
    ...(smooths ? [smoothing] : []),
    ...(validates ? ['Dashed, with marks: validation.'] : []),
    ...outside(view, metric),
  ];
}

/** What is not in the plot, where something is not. */
function outside({ y, openingAbove, outside: highest }: CurveView, metric: Metric): string[] {
  const print = tickFormat(metric);
  const limit = axisText(print(y.high));
  if (highest !== null)
    return [
      `Values above ${limit}, up to ${axisText(print(Number(highest.toPrecision(3))))}, lie outside the plot.`,
    ];
  if (openingAbove === 0) return [];
  return [
    `Values above ${limit} in the first ${format.plural(openingAbove, 'step')} lie outside the plot.`,
  ];
}

/** Whether some point stands for several steps. */
export function isSummary(view: CurveView): boolean {
  return view.curves.some(({ stretches }) => stretches.some(({ count }) => count > 1));
}

function resolution(view: CurveView, noisy: boolean): string {
  let most = 1;
  let per = 1;
  let alike = true;
  let first: number | null = null;
  for (const { stretches } of view.curves)
    for (const [i, { count, per: of }] of stretches.entries()) {
      most = Math.max(most, count);
      per = Math.max(per, of);
      first ??= count;
      // The last stretch is what was left over.
      if (count !== first && i < stretches.length - 1) alike = false;
    }
  if (most === 1) return 'Every step';
  const span = `Each point stands for ${alike ? '' : 'up to '}${format.whole(most)} steps`;
  // What is not noisy is recorded as of the last step, not as a mean.
  if (!noisy) return `${span} (as of the last)`;
  if (per === 1) return `${span} (lowest to highest)`;
  return per === most
    ? `${span} (their mean)`
    : `${span} (lowest to highest mean of ${format.whole(per)})`;
}
