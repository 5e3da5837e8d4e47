/** What is typed into a run's note and not saved yet. It outlives the screen, and a reload of the page. */
import { toErrorRecord, type ErrorRecord } from '../../../core/contract/errors.ts';
import { core } from '../../connection/core.svelte.ts';
import { notices } from '../../state/notices.svelte.ts';
import { runs } from '../../state/runs.svelte.ts';
import { lengthProblem, longest } from '../../state/textLength.ts';

/** Pause in typing after which the note is saved, in milliseconds. */
const pause = 1000;

export class NoteDraft {
  readonly #runId: string;
  readonly #key: string;
  /** Null when everything is saved. */
  #typed = $state<string | null>(null);
  /** The note that typing started from. */
  #base = $state('');
  /** On its way to the core. */
  #sending = $state<string | null>(null);
  #failure = $state.raw<ErrorRecord | null>(null);
  #saved = $state(false);
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(runId: string) {
    this.#runId = runId;
    this.#key = `switchyard.note.${runId}`;
    const kept = recall(this.#key);
    if (kept === null) return;
    this.#typed = kept.typed;
    this.#base = kept.base;
  }

  get text(): string {
    return this.#typed ?? this.#note;
  }
  /** The note as somebody else has changed it meanwhile; null when nobody has. */
  get theirs(): string | null {
    const note = this.#note;
    if (this.#typed === null || [this.#base, this.#typed, this.#sending].includes(note))
      return null;
    return note;
  }
  /** Whether closing the page now would lose something. */
  get atRisk(): boolean {
    return this.#typed !== null && this.#sending !== this.#typed;
  }
  get problem(): string | null {
    return lengthProblem('The note', this.text, longest.note);
  }
  /** How it stands, in a few words. */
  get standing(): string {
    if (this.#typed === null) return this.#saved ? 'Saved' : '';
    if (this.theirs !== null || this.problem !== null) return 'Not saved';
    if (core.standing !== 'connected') return 'Not saved yet: no connection';
    return this.#failure === null ? 'Saving…' : `Not saved: ${this.#failure.message}`;
  }
  get #note(): string {
    return runs.get(this.#runId)?.note ?? '';
  }

  type(text: string): void {
    if (this.#typed === null) this.#base = this.#note;
    this.#typed = text;
    this.#keep();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.save(), pause);
  }

  /** Saves what is typed, unless it cannot be now; then it stays, and what is wrong is shown. */
  async save(): Promise<void> {
    clearTimeout(this.#timer);
    const note = this.#typed;
    if (note === null || this.#sending !== null) return;
    if (note === this.#note || runs.get(this.#runId) === undefined) {
      this.#done();
      return;
    }
    if (this.theirs !== null || this.problem !== null || core.standing !== 'connected') return;
    this.#sending = note;
    try {
      runs.put(await core.call('runs.update', { run: this.#runId, note }));
      this.#base = note;
      this.#failure = null;
      if (this.#typed === note) this.#done();
    } catch (error) {
      this.#fail(toErrorRecord(error));
    }
    this.#sending = null;
    // What was typed meanwhile, also when the screen has been left.
    if (this.#failure === null && this.#typed !== null) void this.save();
  }

  /** After a connection: first whether the note was changed while there was none. */
  async retry(): Promise<void> {
    if (this.#typed === null) return;
    try {
      runs.put(await core.call('runs.get', { run: this.#runId }));
      await this.save();
    } catch (error) {
      this.#fail(toErrorRecord(error));
    }
  }

  /** Over the note that somebody else has written. */
  async keepMine(): Promise<void> {
    this.#base = this.#note;
    await this.save();
  }

  takeTheirs(): void {
    this.#done();
    this.#saved = false;
  }

  #fail(failure: ErrorRecord): void {
    // Without a connection the next one tries again.
    if (failure.code === 'interrupted') return;
    if (failure.message !== this.#failure?.message) notices.failed(failure);
    this.#failure = failure;
  }

  #done(): void {
    this.#typed = null;
    this.#failure = null;
    this.#saved = true;
    this.#keep();
  }

  #keep(): void {
    try {
      if (this.#typed === null) sessionStorage.removeItem(this.#key);
      else
        sessionStorage.setItem(this.#key, JSON.stringify({ typed: this.#typed, base: this.#base }));
    } catch {
      // Storage may be forbidden or full; saving at the core is what counts.
    }
  }
}

function recall(key: string): { typed: string; base: string } | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(key) ?? 'null') as Record<
      string,
      unknown
    > | null;
    if (typeof kept?.['typed'] !== 'string' || typeof kept['base'] !== 'string') return null;
    return { typed: kept['typed'], base: kept['base'] };
  } catch {
    return null;
  }
}

// Nobody waits for its changes.
// eslint-disable-next-line svelte/prefer-svelte-reactivity
const byRun = new Map<string, NoteDraft>();
let listening = false;

/** That of a run. */
export function noteOf(runId: string): NoteDraft {
  const known = byRun.get(runId);
  if (known !== undefined) return known;
  const draft = new NoteDraft(runId);
  byRun.set(runId, draft);
  if (!listening)
    core.onConnect(() => {
      for (const each of byRun.values()) void each.retry();
    });
  else void draft.retry();
  listening = true;
  return draft;
}
