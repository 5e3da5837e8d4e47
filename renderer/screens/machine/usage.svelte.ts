/** What takes space, read while somebody looks at it: anew after every change that frees or takes some. */
import { toErrorRecord, type ErrorRecord } from '../../../core/contract/errors.ts';
import type { CoreEvent } from '../../../core/contract/protocol.ts';
import type { DiskUsage } from '../../../core/contract/records.ts';
import { core } from '../../connection/core.svelte.ts';

const changes: ReadonlySet<CoreEvent['type']> = new Set([
  ...(['run-removed', 'run-checkpoint', 'run-checkpoints-removed'] as const),
  ...(['dataset-changed', 'dataset-removed'] as const),
]);

class Usage {
  /** Null until it has been read once. */
  current = $state.raw<DiskUsage | null>(null);
  error = $state.raw<ErrorRecord | null>(null);
  #reading = false;
  #stale = false;

  /** Keeps it current until the returned function is called. */
  watch(): () => void {
    const ends = [
      core.subscribe(({ type }) => {
        if (changes.has(type)) void this.read();
      }),
      core.onConnect(() => void this.read()),
    ];
    return () => ends.forEach((end) => end());
  }

  /** One reading at a time: what is asked meanwhile is answered by one more at its end. */
  async read(): Promise<void> {
    this.#stale = true;
    if (this.#reading) return;
    this.#reading = true;
    while (this.#stale) {
      this.#stale = false;
      try {
        this.current = await core.call('disk.usage', {});
        this.error = null;
      } catch (error) {
        this.error = toErrorRecord(error);
      }
    }
    this.#reading = false;
  }
}

export const usage = new Usage();
