/** The form for a new run: what was started from, what was changed, kept for the session. */
import { presets, type Preset } from '../../../core/contract/presets.ts';
import type { RunConfig } from '../../../core/contract/config.ts';
import { backendNames, type BackendName, type Run } from '../../../core/contract/records.ts';
import { resolveConfig } from '../../../core/contract/resolveConfig.ts';
import { linkTo } from '../../routing.svelte.ts';
import { runs } from '../../state/runs.svelte.ts';
import { differences, read, type Texts } from './configuration.ts';

/** What is kept: everything a person has chosen or typed. */
interface Kept {
  /** Name of a preset, or id of a run. */
  start: string;
  texts: Texts;
  name: string;
  /** Null: the default. */
  backend: BackendName | null;
  dataset: string | null;
}

/** Presets first: their names are no run's id. */
export type Start = { kind: 'preset'; preset: Preset } | { kind: 'run'; run: Run };

export class Draft {
  readonly #key: string;
  readonly #fresh: Kept;
  #kept = $state.raw<Kept>({ start: '', texts: {}, name: '', backend: null, dataset: null });

  /** What was asked for in the address, where it is not to be had; else null. */
  readonly missing: string | null;
  /** As it was when it was chosen, even if the run is deleted meanwhile. */
  start = $state.raw<Start>({ kind: 'preset', preset: presets[0] });
  /** A run whose configuration is on offer, also while a preset is looked at instead. */
  readonly offered: Run | null;
  base = $derived<RunConfig>(
    this.start.kind === 'run' ? this.start.run.config : resolveConfig(this.start.preset.config),
  );
  reading = $derived(read(this.base, this.#kept.texts));
  /**
   * Takes up an earlier draft of this session with the same beginnings.
   * @param usual what to start from where nothing, or nothing that is there, was asked for
   */
  constructor(from: string | null, data: string | null, usual: Preset) {
    const start = from === null ? null : startOf(from);
    this.missing = start === null ? from : null;
    this.offered = start?.kind === 'run' ? start.run : null;
    this.#fresh = {
      ...{ start: start === null ? usual.name : (from ?? ''), texts: {}, name: '' },
      backend: start?.kind === 'run' ? start.run.backend : null,
      dataset: data ?? (start?.kind === 'run' ? start.run.datasetId : null),
    };
    this.#key = `switchyard${linkTo({ screen: 'new', from, data })}`;
    this.#kept = recall(this.#key) ?? this.#fresh;
    this.start = startOf(this.#kept.start) ?? this.start;
  }

  /** Whether anything would be lost by discarding. */
  get touched(): boolean {
    const { start, texts, name, backend } = this.#kept;
    return (
      Object.keys(texts).length > 0 ||
      name !== '' ||
      backend !== this.#fresh.backend ||
      start !== this.#fresh.start
    );
  }
  get name(): string {
    return this.#kept.name;
  }
  set name(name: string) {
    this.#change({ name });
  }
  get backend(): BackendName | null {
    return this.#kept.backend;
  }
  set backend(backend: BackendName | null) {
    this.#change({ backend });
  }
  get dataset(): string | null {
    return this.#kept.dataset;
  }
  set dataset(dataset: string | null) {
    this.#change({ dataset });
  }
  get startName(): string {
    return this.#kept.start;
  }

  text(name: string): string | undefined {
    return this.#kept.texts[name];
  }

  type(name: string, text: string): void {
    this.typeAll({ [name]: text });
  }

  typeAll(texts: Texts): void {
    this.#change({ texts: { ...this.#kept.texts, ...texts } });
  }

  /** Back to the value started from. */
  reset(name: string): void {
    this.#change({
      texts: Object.fromEntries(Object.entries(this.#kept.texts).filter(([key]) => key !== name)),
    });
  }

  /** Another preset or run to start from; what was changed stays changed. */
  startFrom(start: string): void {
    this.start = startOf(start) ?? this.start;
    this.#change({ start });
  }

  /** Every field takes its value in that configuration. */
  take(config: RunConfig): void {
    this.#change({ texts: differences(this.base, config) });
  }

  /** Everything as it was when the form was first opened; the dataset stays. */
  discard(): void {
    this.#change({ ...this.#fresh, dataset: this.dataset });
    this.start = startOf(this.#fresh.start) ?? this.start;
  }

  /** The run has been started: nothing is left to keep. */
  forget(): void {
    try {
      sessionStorage.removeItem(this.#key);
    } catch {
      // Storage may be forbidden; then nothing was kept.
    }
  }

  #change(change: Partial<Kept>): void {
    this.#kept = { ...this.#kept, ...change };
    try {
      sessionStorage.setItem(this.#key, JSON.stringify(this.#kept));
    } catch {
      // Storage may be forbidden or full; the form works without.
    }
  }
}

function startOf(name: string): Start | null {
  const preset = presets.find((each) => each.name === name);
  if (preset !== undefined) return { kind: 'preset', preset };
  const run = runs.get(name);
  return run === undefined ? null : { kind: 'run', run };
}

/** A kept draft, if it is one of this version's and what it starts from is still there. */
function recall(key: string): Kept | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(key) ?? 'null') as Partial<Kept> | null;
    if (kept === null || typeof kept.start !== 'string' || startOf(kept.start) === null)
      return null;
    const { start, texts = {}, name = '', dataset = null } = kept;
    const backend = backendNames.find((known) => known === kept.backend) ?? null;
    return { start, texts, name, backend, dataset };
  } catch {
    return null;
  }
}
