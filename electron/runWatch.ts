/**
 * What the shell knows of the runs: their state as the core's events tell it, and which ones ended
 * while it looked. It outlives connections and cores.
 */
import type { CoreEvent } from '../core/contract/protocol.ts';
import { isActive, type Run } from '../core/contract/records.ts';

export interface RunWatch {
  /** Everything as it is now: after each connection. */
  replace(runs: readonly Run[]): void;
  receive(event: CoreEvent): void;
  /** Queued, running and paused runs. */
  active(): Run[];
}

export interface RunWatchOptions {
  onChange(): void;
  /** A run finished, failed, was stopped or was left interrupted; once for each time it ends. */
  onEnded(run: Run): void;
  setTimeout(work: () => void, milliseconds: number): unknown;
}

/**
 * A core that replaces a crashed one resumes the runs that it held: only a run that is still
 * interrupted after this many milliseconds has ended.
 */
const resumeTime = 10_000;

export function createRunWatch(options: RunWatchOptions): RunWatch {
  const known = new Map<string, Run>();

  const reportInterrupted = (run: Run): void => {
    options.setTimeout(() => {
      const now = known.get(run.id);
      if (now?.status === 'interrupted' && now.endedAt === run.endedAt) options.onEnded(now);
    }, resumeTime);
  };

  /** @param live whether a run that was not known began after the last look */
  const observe = (run: Run, live: boolean): void => {
    const before = known.get(run.id);
    known.set(run.id, run);
    if (isActive(run.status)) return;
    // Events are merged, so a run may begin and end between two of them.
    const ended =
      before === undefined ? live : isActive(before.status) || before.endedAt !== run.endedAt;
    if (!ended) return;
    if (run.status === 'interrupted') reportInterrupted(run);
    else options.onEnded(run);
  };

  return {
    replace: (runs) => {
      const present = new Set(runs.map(({ id }) => id));
      for (const id of known.keys()) if (!present.has(id)) known.delete(id);
      for (const run of runs) observe(run, false);
      options.onChange();
    },
    receive: (event) => {
      if (event.type === 'run-changed') observe(event.run, true);
      else if (event.type === 'run-removed') known.delete(event.runId);
      else if (event.type === 'run-steps') {
        const run = known.get(event.runId);
        const step = event.steps.at(-1)?.step;
        if (run === undefined || step === undefined) return;
        known.set(run.id, { ...run, step });
      } else return;
      options.onChange();
    },
    active: () => [...known.values()].filter(({ status }) => isActive(status)),
  };
}

/** Mean share of their steps that the running runs have done, from 0 to 1; null when none is running. */
export function meanProgress(runs: readonly Run[]): number | null {
  const shares = runs
    .filter(({ status }) => status === 'running')
    .map(({ step, config }) => step / config.training.steps);
  if (shares.length === 0) return null;
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}
