/** All datasets, kept current by the core's events. */
import { SvelteMap } from 'svelte/reactivity';
import type { Dataset } from '../../core/contract/records.ts';
import { core } from '../connection/core.svelte.ts';

class Datasets {
  loaded = $state(false);
  #byId = new SvelteMap<string, Dataset>();

  /** Newest first. */
  list = $derived([...this.#byId.values()].sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1)));

  start(): void {
    core.subscribe((event) => {
      if (event.type === 'dataset-changed') this.put(event.dataset);
      if (event.type === 'dataset-removed') this.#byId.delete(event.datasetId);
    });
    core.onConnect(() => void this.#read());
  }

  get(id: string): Dataset | undefined {
    return this.#byId.get(id);
  }

  put(dataset: Dataset): void {
    this.#byId.set(dataset.id, dataset);
  }

  async #read(): Promise<void> {
    const datasets = await core.call('datasets.list', {});
    const ids = new Set(datasets.map(({ id }) => id));
    for (const id of this.#byId.keys()) if (!ids.has(id)) this.#byId.delete(id);
    for (const dataset of datasets) this.put(dataset);
    this.loaded = true;
  }
}

export const datasets = new Datasets();
