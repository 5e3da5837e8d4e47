/** Full resolution for the visible part of summarised curves, read from the core after a zoom. */
import { SvelteMap } from 'svelte/reactivity';
import type { CurvePoint } from '../../core/contract/records.ts';
import { core } from '../connection/core.svelte.ts';
import { splice } from './stretches.ts';

/** Milliseconds that a zoom must stand before it is read: dragging would ask at every move. */
const pause = 150;
const readPoints = 4000;

/** Steps of a run that are visible. */
export interface Wanted {
  runId: string;
  fromStep: number;
  toStep: number;
}

interface Detail {
  wanted: Wanted;
  points: readonly CurvePoint[];
}

export class Details {
  /** Why the latest could not be read. */
  error = $state.raw<unknown>(null);
  #byRun = new SvelteMap<string, Detail>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = 0;
  /** The last splice of a run: made again only when either side of it is new. */
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- a cache: nothing is drawn because of it
  #spliced = new Map<
    string,
    { summary: unknown; detail: unknown; points: readonly CurvePoint[] }
  >();

  /** Forgets what a rewound run had; returns a function that ends that. */
  start(): () => void {
    const unsubscribe = core.subscribe((event) => {
      if (event.type === 'run-rewound') this.#byRun.delete(event.runId);
    });
    return () => {
      unsubscribe();
      clearTimeout(this.#timer);
      this.#asked++;
    };
  }

  /** Everything is shown: the summaries are right for that. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#asked++;
    this.#byRun.clear();
    this.#spliced.clear();
    this.error = null;
  }

  /** @param wanted asked when the zoom has stood still */
  ask(wanted: () => readonly Wanted[]): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#read(wanted()), pause);
  }

  /** A summary with what is known better put in. */
  refine(runId: string, summary: readonly CurvePoint[]): readonly CurvePoint[] {
    const detail = this.#byRun.get(runId)?.points;
    if (detail === undefined) return summary;
    const kept = this.#spliced.get(runId);
    if (kept?.summary === summary && kept.detail === detail) return kept.points;
    const points = splice(summary, detail);
    this.#spliced.set(runId, { summary, detail, points });
    return points;
  }

  async #read(wanted: readonly Wanted[]): Promise<void> {
    const mine = ++this.#asked;
    try {
      for (const part of wanted) {
        const { runId, fromStep, toStep } = part;
        const known = this.#byRun.get(runId)?.wanted;
        if (known?.fromStep === fromStep && known.toStep === toStep) continue;
        const { points } = await core.call('runs.curve', {
          ...{ run: runId, fromStep, toStep, points: readPoints },
        });
        if (mine !== this.#asked) return;
        this.#byRun.set(runId, { wanted: part, points });
      }
      this.error = null;
    } catch (error) {
      if (mine === this.#asked) this.error = error;
    }
  }
}
