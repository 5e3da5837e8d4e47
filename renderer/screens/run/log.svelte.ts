/** The log of one run: its latest lines, then every line as it is written. */
import { toErrorRecord, type ErrorRecord } from '../../../core/contract/errors.ts';
import type { LogEntry } from '../../../core/contract/records.ts';
import { core } from '../../connection/core.svelte.ts';
import { joined } from './logLines.ts';

/** Lines that are read at first, and at most. */
const firstLines = 1000;
export const mostLines = 100_000;

export class Log {
  readonly #runId: string;
  /** Oldest first; null until they have been read. */
  lines = $state.raw<readonly LogEntry[] | null>(null);
  error = $state.raw<ErrorRecord | null>(null);
  /** Whether there may be lines before the first one. */
  cut = $state(false);
  #limit = firstLines;
  #heard: LogEntry[] = [];
  #latest = 0;

  constructor(runId: string) {
    this.#runId = runId;
  }

  /** Until the returned function is called. */
  follow(): () => void {
    const ends = [
      core.onConnect(() => void this.#read()),
      core.subscribe((event) => {
        if (event.type !== 'run-log' || event.runId !== this.#runId) return;
        const { runId, level, message, time } = event;
        const line = { runId, level, message, time };
        this.#heard.push(line);
        if (this.lines !== null) this.lines = [...this.lines, line];
      }),
    ];
    return () => {
      for (const end of ends) end();
    };
  }

  /** Reads the lines before those that are shown as well. */
  async readAll(): Promise<void> {
    this.#limit = mostLines;
    await this.#read();
  }

  async #read(): Promise<void> {
    const mine = ++this.#latest;
    this.#heard = [];
    try {
      const read = await core.call('runs.log', { run: this.#runId, limit: this.#limit });
      if (mine !== this.#latest) return;
      this.lines = joined(read, this.#heard);
      this.cut = read.length === this.#limit;
      this.error = null;
    } catch (error) {
      if (mine === this.#latest) this.error = toErrorRecord(error);
    }
  }
}
