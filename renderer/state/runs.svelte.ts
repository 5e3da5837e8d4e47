/** All runs, kept current by the core's events, and how the active ones are doing. */
import { SvelteMap } from 'svelte/reactivity';
import type { CoreEvent } from '../../core/contract/protocol.ts';
import { median, recentSteps, secondsLeft, tokensPerStep } from '../../core/contract/progress.ts';
import { isActive, type Run, type StepMetric } from '../../core/contract/records.ts';
import { core } from '../connection/core.svelte.ts';

/** What an active run has done last. */
export interface Live {
  last: StepMetric;
  /** Of the last steps, in milliseconds. */
  recent: readonly number[];
  /** Of the last validation, in milliseconds. */
  validation: number;
}

class Runs {
  /** Null until they have been read for the first time. */
  loaded = $state(false);
  #byId = new SvelteMap<string, Run>();
  #live = new SvelteMap<string, Live>();

  /** Newest first. */
  list = $derived([...this.#byId.values()].sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1)));
  /** In the order in which they were created. */
  active = $derived(this.list.filter(({ status }) => isActive(status)).reverse());

  start(): void {
    core.subscribe((event) => this.#apply(event));
    core.onConnect(() => void this.#read());
  }

  get(id: string): Run | undefined {
    return this.#byId.get(id);
  }

  live(id: string): Live | undefined {
    return this.#live.get(id);
  }

  /** Steps done, which is ahead of the record between checkpoints. */
  stepOf(run: Run): number {
    return Math.max(run.step, this.#live.get(run.id)?.last.step ?? 0);
  }

  /** A number as the core returned it, before its event arrives. */
  put(run: Run): void {
    this.#byId.set(run.id, run);
    if (!isActive(run.status)) this.#live.delete(run.id);
  }

  async #read(): Promise<void> {
    const runs = await core.call('runs.list', {});
    const ids = new Set(runs.map(({ id }) => id));
    for (const id of this.#byId.keys()) if (!ids.has(id)) this.#byId.delete(id);
    for (const run of runs) this.put(run);
    this.loaded = true;
  }

  #apply(event: CoreEvent): void {
    switch (event.type) {
      case 'run-changed':
        this.put(event.run);
        return;
      case 'run-removed':
        this.#byId.delete(event.runId);
        this.#live.delete(event.runId);
        return;
      case 'run-rewound':
        this.#live.delete(event.runId);
        return;
      case 'run-steps': {
        const last = event.steps.at(-1);
        if (last === undefined) return;
        const before = this.#live.get(event.runId);
        const recent = [
          ...(before?.recent ?? []),
          ...event.steps.map(({ milliseconds }) => milliseconds),
        ].slice(-recentSteps);
        this.#live.set(event.runId, { last, recent, validation: before?.validation ?? 0 });
        return;
      }
      case 'run-validation': {
        const before = this.#live.get(event.runId);
        if (before !== undefined)
          this.#live.set(event.runId, { ...before, validation: event.validation.milliseconds });
        this.#validated(event.runId, event.validation.step, event.validation.loss);
        return;
      }
      default:
        return;
    }
  }

  /** The record itself arrives with the next checkpoint; lists should not wait for it. */
  #validated(id: string, step: number, loss: number): void {
    const run = this.#byId.get(id);
    if (run === undefined) return;
    const better = run.bestValidationLoss === null || loss < run.bestValidationLoss;
    this.#byId.set(id, {
      ...run,
      lastValidationLoss: loss,
      ...(better ? { bestValidationLoss: loss, bestStep: step } : {}),
    });
  }
}

/** Speed and end of an active run, from its last steps; null before the first. */
export function paceOf(
  run: Run,
  live: Live | undefined,
): { perStep: number; tokensPerSecond: number; secondsLeft: number } | null {
  if (live === undefined) return null;
  const perStep = median(live.recent);
  return {
    perStep,
    tokensPerSecond: (tokensPerStep(run.config) / perStep) * 1000,
    secondsLeft: secondsLeft(run.config, live.last.step, perStep, live.validation),
  };
}

export const runs = new Runs();
