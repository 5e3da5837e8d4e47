/** A chart in words, for whoever does not see it: the table beside it has the numbers. */
import type { Run } from '../../core/contract/records.ts';
import * as format from '../../core/contract/format.ts';
import { axes, metrics, type Axis, type Metric } from './series.ts';

/** What is drawn over what, and of a loss each run's last and best value. */
export function describe(
  runs: readonly Run[],
  metric: Metric,
  axis: Axis,
  nameOf: (run: Run) => string,
): string {
  const what = `${metrics[metric].label} over ${axes[axis].label.toLowerCase()} of ${format.plural(runs.length, 'run')}`;
  const keys = 'Plus and minus zoom, arrows move, 0 shows everything.';
  if (metric === 'accuracy') {
    const each = runs.map((run) => {
      const { bestAccuracy: best, lastAccuracy: last } = run;
      if (best === null || last === null) return `${nameOf(run)}: not validated yet`;
      return `${nameOf(run)}: best ${format.percent(best)}, last ${format.percent(last)}`;
    });
    return `${what}. ${each.join('; ')}. ${keys}`;
  }
  if (metric !== 'loss') return `${what}: ${runs.map(nameOf).join(', ')}. ${keys}`;
  const each = runs.map((run) => {
    const { lastTrainLoss, bestValidationLoss, bestStep } = run;
    const last = lastTrainLoss === null ? 'no steps yet' : `last ${format.loss(lastTrainLoss)}`;
    const best =
      bestValidationLoss === null || bestStep === null
        ? 'not validated yet'
        : `best validation ${format.loss(bestValidationLoss)} at step ${format.whole(bestStep)}`;
    return `${nameOf(run)}: ${last}, ${best}`;
  });
  return `${what}. ${each.join('; ')}. ${keys}`;
}
