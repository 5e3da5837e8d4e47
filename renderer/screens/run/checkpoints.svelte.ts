/** The checkpoints of one run, read at every connection and kept current by the core's events. */
import { toErrorRecord, type ErrorRecord } from '../../../core/contract/errors.ts';
import type { Checkpoint } from '../../../core/contract/records.ts';
import { core } from '../../connection/core.svelte.ts';

export class Checkpoints {
  readonly #runId: string;
  /** In order of their steps; null until they have been read. */
  list = $state.raw<readonly Checkpoint[] | null>(null);
  error = $state.raw<ErrorRecord | null>(null);
  #latest = 0;

  constructor(runId: string) {
    this.#runId = runId;
  }

  /** Until the returned function is called. */
  follow(): () => void {
    const ends = [
      core.onConnect(() => void this.read()),
      core.subscribe((event) => {
        const about =
          (event.type === 'run-checkpoint' && event.checkpoint.runId === this.#runId) ||
          (event.type === 'run-rewound' && event.runId === this.#runId) ||
          (event.type === 'run-checkpoints-removed' && event.runId === this.#runId);
        // A new one makes older ones go, and which is the best may change: all of them are read.
        if (about) void this.read();
      }),
    ];
    return () => {
      for (const end of ends) end();
    };
  }

  async read(): Promise<void> {
    const mine = ++this.#latest;
    try {
      const list = await core.call('runs.checkpoints', { run: this.#runId });
      if (mine !== this.#latest) return;
      this.list = list;
      this.error = null;
    } catch (error) {
      if (mine === this.#latest) this.error = toErrorRecord(error);
    }
  }
}
