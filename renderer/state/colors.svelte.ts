/** A run has one colour on every screen: by its place among all runs in order of creation. */
import { chartTheme } from '../charts/theme.ts';
import { runs } from './runs.svelte.ts';
import { appearance } from './settings.svelte.ts';

class Colors {
  #places = $derived(new Map(runs.list.toReversed().map(({ id }, place) => [id, place])));

  /** The place decides the marker as well: with more runs than colours, shapes differ. */
  placeOf(runId: string): number {
    return this.#places.get(runId) ?? 0;
  }

  of(runId: string): string {
    const { series } = chartTheme(appearance.dark);
    return series[this.placeOf(runId) % series.length];
  }
}

export const colors = new Colors();
