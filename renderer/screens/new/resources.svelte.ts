/** Costs of configurations, asked of the core a moment after the last change; the latest question wins. */
import type { PartialConfig } from '../../../core/contract/config.ts';
import { toErrorRecord, type ErrorRecord } from '../../../core/contract/errors.ts';
import type { Resources } from '../../../core/contract/records.ts';
import { core } from '../../connection/core.svelte.ts';

/** Pause in typing after which the costs are computed, in milliseconds. */
const pause = 120;

export class Cost {
  /** Of the latest configuration that could be computed; stays while the next one is awaited. */
  resources = $state.raw<Resources | null>(null);
  error = $state.raw<ErrorRecord | null>(null);
  #latest = 0;

  /**
   * Follows what the function returns, which is null while there is nothing to compute. To be called
   * where effects may be made.
   */
  follow(question: () => { config: PartialConfig; vocabulary: number } | null): void {
    $effect(() => {
      const input = question();
      const mine = ++this.#latest;
      if (input === null || core.standing !== 'connected') return;
      const timer = setTimeout(() => void this.#ask(input, mine), pause);
      return () => clearTimeout(timer);
    });
  }

  async #ask(input: { config: PartialConfig; vocabulary: number }, mine: number): Promise<void> {
    try {
      const resources = await core.call('resources.compute', input);
      if (mine !== this.#latest) return;
      this.resources = resources;
      this.error = null;
    } catch (error) {
      if (mine === this.#latest) this.error = toErrorRecord(error);
    }
  }
}
