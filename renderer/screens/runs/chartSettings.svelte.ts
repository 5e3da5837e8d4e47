/** How the comparison's charts are drawn; kept by the browser. */
import { paperDatasets, type PaperDataset } from '../../../core/contract/paperPresets.ts';
import { axes, type Axis } from '../../charts/series.ts';
import { keep, kept } from '../../state/settings.svelte.ts';
import { scatterCosts, type CostKey } from './scatterCosts.ts';

const yesNo = ['yes', 'no'] as const;

class ChartSettings {
  axis = $state<Axis>(kept('axis', Object.keys(axes) as Axis[], 'step'));
  logX = $state(kept('logX', yesNo, 'no') === 'yes');
  logY = $state(kept('logY', yesNo, 'no') === 'yes');
  /** Half-life in steps; null follows the length of the runs. */
  smoothing = $state<number | null>(null);
  cost = $state<CostKey>(kept('cost', Object.keys(scatterCosts) as CostKey[], 'attentionMacs'));

  /** Whether the paper's points are shown too; off at every start, as they are on other data. */
  published = $state(false);
  publishedDataset = $state<PaperDataset>(kept('published', paperDatasets, 'wikitext103'));

  constructor() {
    $effect.root(() => {
      $effect(() => keep('axis', this.axis));
      $effect(() => keep('logX', this.logX ? 'yes' : 'no'));
      $effect(() => keep('logY', this.logY ? 'yes' : 'no'));
      $effect(() => keep('cost', this.cost));
      $effect(() => keep('published', this.publishedDataset));
    });
  }
}

export const chartSettings = new ChartSettings();
