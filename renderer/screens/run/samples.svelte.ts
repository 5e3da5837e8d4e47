/** Texts that a run continued in this session: settings, the one being written, and those before. */
import { SwitchyardError, toErrorRecord, type ErrorRecord } from '../../../core/contract/errors.ts';
import { core } from '../../connection/core.svelte.ts';
import { readNumber } from '../../parts/readNumber.ts';
import { sampleFieldNames, sampleFields, type SampleField } from './sampleFields.ts';

export type CheckpointChoice = 'best' | 'last';

export interface Sample {
  id: number;
  prompt: string;
  text: string;
  /** How it was drawn. */
  settings: Readonly<Record<SampleField, number>>;
  checkpoint: CheckpointChoice;
  /** Of the checkpoint, as far as it is known before the answer. */
  step: number | undefined;
  /** Null while it is being written or when it was cancelled. */
  result: { step: number; tokens: number; milliseconds: number } | null;
  cancelled: boolean;
}

export class Samples {
  readonly #runId: string;
  prompt = $state('');
  checkpoint = $state<CheckpointChoice>('best');
  /** As typed. */
  texts = $state<Record<SampleField, string>>({
    tokens: String(sampleFields.tokens.default),
    temperature: String(sampleFields.temperature.default),
    topK: String(sampleFields.topK.default),
    seed: String(sampleFields.seed.default),
  });
  /** Sentences by field. */
  problems = $derived.by(() => {
    const found: Partial<Record<SampleField, string>> = {};
    for (const name of sampleFieldNames) {
      try {
        readNumber(sampleFields[name], this.texts[name]);
      } catch (error) {
        found[name] = toErrorRecord(error).message;
      }
    }
    return found;
  });
  current = $state.raw<Sample | null>(null);
  /** Newest first. */
  history = $state.raw<readonly Sample[]>([]);
  error = $state.raw<ErrorRecord | null>(null);
  #abort: AbortController | null = null;
  #nextId = 1;

  constructor(runId: string) {
    this.#runId = runId;
  }

  get ready(): boolean {
    return this.current === null && this.prompt !== '' && Object.keys(this.problems).length === 0;
  }

  /**
   * Continues the prompt; the text appears token by token.
   * @param step of the checkpoint, where it is known
   */
  async generate(step?: number): Promise<void> {
    if (!this.ready) return;
    const { prompt, checkpoint } = this;
    const settings = Object.fromEntries(
      sampleFieldNames.map((name) => [name, readNumber(sampleFields[name], this.texts[name])]),
    ) as Record<SampleField, number>;
    const abort = new AbortController();
    this.#abort = abort;
    this.error = null;
    this.current = {
      ...{ id: this.#nextId++, prompt, settings, checkpoint, step },
      ...{ text: '', result: null, cancelled: false },
    };
    const end = core.subscribe((event) => {
      if (event.type !== 'sample-token' || event.runId !== this.#runId) return;
      if (this.current !== null)
        this.current = { ...this.current, text: this.current.text + event.text };
    });
    try {
      const { text, ...result } = await core.call(
        'runs.sample',
        { run: this.#runId, prompt, checkpoint, ...settings },
        abort.signal,
      );
      this.#finish({ text, result });
    } catch (error) {
      const cancelled =
        abort.signal.aborted && error instanceof SwitchyardError && error.code === 'interrupted';
      if (!cancelled) this.error = toErrorRecord(error);
      // What was written before a cancellation or a failure is worth keeping.
      this.#finish({ cancelled: true });
    } finally {
      end();
      this.#abort = null;
    }
  }

  cancel(): void {
    this.#abort?.abort();
  }

  clear(): void {
    this.history = [];
  }

  #finish(change: Partial<Sample>): void {
    const { current } = this;
    this.current = null;
    if (current === null) return;
    const sample = { ...current, ...change };
    if (sample.text !== '' || sample.result !== null) this.history = [sample, ...this.history];
  }
}

// Nobody waits for its changes.
// eslint-disable-next-line svelte/prefer-svelte-reactivity
const byRun = new Map<string, Samples>();

/** Those of a run; they outlive the screen, not the page. */
export function samplesOf(runId: string): Samples {
  const known = byRun.get(runId);
  if (known !== undefined) return known;
  const samples = new Samples(runId);
  byRun.set(runId, samples);
  return samples;
}
