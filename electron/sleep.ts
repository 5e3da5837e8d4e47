/** Pauses what runs when the machine goes to sleep, and resumes exactly that when it wakes. */
import type { Client } from '../core/contract/protocol.ts';
import type { Run } from '../core/contract/records.ts';

/** The part of Electron's `PowerMonitor` that is used here. */
export interface SleepSignals {
  on(event: 'suspend' | 'resume', listener: () => void): unknown;
}

export interface SleepParts {
  readonly power: SleepSignals;
  /** Null while there is no core. */
  client(): Client | null;
  active(): Run[];
  log(line: string): void;
}

export function pauseDuringSleep(parts: SleepParts): void {
  /** The pauses that were asked for, by run; each settles with whether it was paused. */
  let pauses = new Map<string, Promise<boolean>>();

  const attempt = async (method: 'runs.pause' | 'runs.resume', run: string): Promise<boolean> => {
    try {
      await parts.client()?.call(method, { run });
      return true;
    } catch (error) {
      parts.log(`${method} of ${run}, around sleep: ${String(error)}`);
      return false;
    }
  };

  parts.power.on('suspend', () => {
    for (const { id, status } of parts.active())
      if (status === 'running' && !pauses.has(id)) pauses.set(id, attempt('runs.pause', id));
  });

  parts.power.on('resume', () => {
    const asked = pauses;
    pauses = new Map();
    // The answer may only arrive after waking: the pause itself was then still under way.
    for (const [id, pause] of asked)
      void pause.then((paused) => (paused ? attempt('runs.resume', id) : false));
  });
}
