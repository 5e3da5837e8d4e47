/** All runs, kept current by the core's events, and how the active ones are doing. */
import { SvelteMap } from 'svelte/reactivity';
import type { CoreEvent } from '../../core/contract/protocol.ts';
import { isActive, type Run } from '../../core/contract/records.ts';
import { core } from '../connection/core.svelte.ts';
import { seeded, seedFrom, withSteps, type Live } from './pace.ts';

export { paceOf, type Live } from './pace.ts';

class Runs {
  /** Null until they have been read for the first time. */
  loaded = $state(false);
  #byId = new SvelteMap<string, Run>();
  #live = new SvelteMap<string, Live>();
  /** Running runs whose last steps have been asked for. */
  #seeded = new Set<string>();

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
    if (!isActive(run.status)) this.#forget(run.id);
    else if (run.status === 'running' && !this.#seeded.has(run.id)) void this.#seed(run);
  }

  /** What a running run did before this page heard of it, so that its speed and end are known. */
  async #seed(run: Run): Promise<void> {
    this.#seeded.add(run.id);
    if (run.step === 0) return;
    try {
      const curve = await core.call('runs.curve', { run: run.id, fromStep: seedFrom(run) });
      const live = seeded(curve, this.#live.get(run.id));
      if (live !== undefined && this.#seeded.has(run.id)) this.#live.set(run.id, live);
    } catch {
      // The run's own median and the steps to come do as well.
    }
  }

  #forget(id: string): void {
    this.#live.delete(id);
    this.#seeded.delete(id);
  }

  async #read(): Promise<void> {
    const runs = await core.call('runs.list', {});
    this.#seeded.clear();
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
        this.#forget(event.runId);
        return;
      case 'run-rewound':
        this.#forget(event.runId);
        return;
      case 'run-steps': {
        const live = withSteps(this.#live.get(event.runId), event.steps);
        if (live !== undefined) this.#live.set(event.runId, live);
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

export const runs = new Runs();
