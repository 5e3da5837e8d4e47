/** Which runs are in the charts and tables: the latest with steps, all that train, and what a person has changed. */
import { SvelteMap } from 'svelte/reactivity';
import type { Run } from '../../../core/contract/records.ts';
import { runs } from '../../state/runs.svelte.ts';

/** Runs that are shown without anybody choosing. */
const latest = 6;
const storageKey = 'switchyard.shown';

class Shown {
  #choices = new SvelteMap<string, boolean>(readChoices());
  #latest = $derived(
    new Set(
      runs.list
        .filter((run) => runs.stepOf(run) > 0)
        .filter(({ status }, place) => place < latest || status === 'running')
        .map(({ id }) => id),
    ),
  );
  /** Newest first. */
  list = $derived(runs.list.filter(({ id }) => this.has(id)));

  has(id: string): boolean {
    return this.#choices.get(id) ?? this.#latest.has(id);
  }

  set(changed: readonly Run[], shown: boolean): void {
    for (const { id } of changed) this.#choices.set(id, shown);
    writeChoices([...this.#choices]);
  }

  toggle(run: Run): void {
    this.set([run], !this.has(run.id));
  }
}

function readChoices(): [string, boolean][] {
  try {
    return JSON.parse(sessionStorage.getItem(storageKey) ?? '[]') as [string, boolean][];
  } catch {
    return []; // storage may be forbidden, and what it holds may be another program's
  }
}

function writeChoices(choices: [string, boolean][]): void {
  try {
    sessionStorage.setItem(storageKey, JSON.stringify(choices));
  } catch {
    // The choice lasts as long as the page.
  }
}

export const shown = new Shown();
