/**
 * Imports of texts: chosen or dropped here, one after the other, or begun by another program. They
 * live as long as the page, whatever screen is shown.
 */
import { SwitchyardError } from '../../core/contract/errors.ts';
import * as format from '../../core/contract/format.ts';
import type { CoreEvent, Input } from '../../core/contract/protocol.ts';
import type { Dataset } from '../../core/contract/records.ts';
import { core } from '../connection/core.svelte.ts';
import { desktop } from '../connection/desktop.ts';
import { router } from '../routing.svelte.ts';
import { datasets } from './datasets.svelte.ts';
import { createFileInput } from './fileInput.ts';
import { smallVocabulary, tooShort } from './datasetCautions.ts';
import { dropProblem, nameProblem, readDrop, type Transfer } from './droppedFiles.ts';
import {
  keptForm,
  parseChoices,
  problemsOf,
  suggestsListops,
  tokenizerOf,
  tokenizerWords,
  type ImportChoices,
} from './importChoices.ts';
import { attempt, notices } from './notices.svelte.ts';
import { questions } from './questions.svelte.ts';
import { keep, keptText } from './settings.svelte.ts';
import { nameOf, TextImport, type ImportRequest, type ImportSource } from './textImport.svelte.ts';

const settingsKey = 'import';

class Imports {
  /** Under way, waiting and failed, in the order in which they were begun. */
  list = $state.raw<readonly TextImport[]>([]);
  options = $state.raw<ImportChoices>(parseChoices(keptText(settingsKey)));
  problems = $derived(problemsOf(this.options));
  #nextId = 1;
  #working = false;
  /** Paths of imports begun here, until the core has told of their end. */
  #own = new Set<string>();
  /** The dataset that changed last: the core tells of it right before the end of its import. */
  #arrived: Dataset | null = null;
  #input: HTMLInputElement | null = null;

  start(): void {
    core.subscribe((event) => this.#apply(event));
    // Whether what others import still goes on is not known after a lost connection; events will tell.
    core.onConnect(() => {
      this.#own.clear();
      this.list = this.list.filter(({ elsewhere }) => !elsewhere);
    });
  }

  /** Changes how texts are imported from now on; usable choices are kept for the next start. */
  set(change: Partial<ImportChoices>): void {
    this.options = { ...this.options, ...change };
    const { vocabulary, validationShare } = this.options;
    const complete = problemsOf({ tokenizer: 'bpe', vocabulary, validationShare });
    if (complete.tokenizer === null && complete.validationShare === null)
      keep(settingsKey, keptForm(this.options));
  }

  /** Asks for text files: the shell's dialog, or the browser's. */
  choose(): void {
    const shell = desktop;
    if (shell === null) {
      this.#input ??= createFileInput((files) => this.files(files));
      this.#input.click();
      return;
    }
    void attempt(async () => {
      const paths = await shell.chooseTexts();
      this.#begin(paths.map((path) => ({ source: { kind: 'path', path }, bytes: null })));
    });
  }

  /** Imports the text to try things on that comes with Switchyard. */
  sample(): void {
    const path = core.hello?.sample ?? null;
    if (path !== null) this.#begin([{ source: { kind: 'path', path }, bytes: null }]);
  }

  /** Imports files that were chosen or dropped; in the shell from where they lie, without a copy. */
  files(files: readonly File[]): void {
    const texts: NewText[] = [];
    for (const file of files) {
      const source = sourceOf(file);
      const problem = source?.kind === 'file' ? nameProblem(file.name) : null;
      if (source === null) notices.failed(notHere(file));
      else if (problem !== null) notices.failed(new SwitchyardError('invalid-argument', problem));
      else texts.push({ source, bytes: file.size });
    }
    this.#begin(texts);
  }

  /** Imports what was dropped on the window, and says what of it cannot be. */
  dropped(transfer: Transfer): void {
    const drop = readDrop(transfer);
    const problem = dropProblem(drop);
    if (problem !== null) notices.failed(new SwitchyardError('invalid-argument', problem));
    this.files(drop.files);
  }

  /** Ends an import; nothing of it is left behind. */
  cancel(text: TextImport): void {
    text.abort();
    if (text.stage === 'waiting') this.#forget(text);
  }

  /** Takes a failed one off the list. */
  dismiss(text: TextImport): void {
    this.#forget(text);
  }

  /** Takes all failed ones off the list. */
  dismissFailed(): void {
    this.list = this.list.filter(({ error }) => error === null);
  }

  /** Begins a failed one anew, with the options as they are now. */
  again(text: TextImport): void {
    this.#forget(text);
    this.#begin([text.request]);
  }

  #begin(texts: readonly NewText[]): void {
    if (texts.length === 0) return;
    const problem = this.problems.tokenizer ?? this.problems.validationShare;
    // A form that somebody fills in is not taken away from them; it shows imports itself.
    const { screen } = router.route;
    if (screen !== 'data' && screen !== 'new') router.go({ screen: 'data', id: null });
    if (problem !== null) {
      notices.failed(new SwitchyardError('invalid-config', `Nothing was imported: ${problem}`));
      return;
    }
    const isTable = ({ source }: NewText): boolean => suggestsListops(nameOf(source), this.options);
    const tables = texts.filter(isTable);
    this.#queue(
      texts.filter((text) => !isTable(text)),
      this.options,
    );
    if (tables.length > 0) void this.#askForm(tables, this.options);
  }

  #queue(texts: readonly NewText[], options: ImportChoices): void {
    const settings = {
      tokenizer: tokenizerOf(options),
      validationShare: options.validationShare ?? NaN,
      begunAt: window.location.hash,
    };
    for (const { source, bytes } of texts) this.#add({ source, bytes, ...settings });
    void this.#work();
  }

  /** A table is hardly a text: it may be ListOps data, which only the person knows. */
  async #askForm(tables: readonly NewText[], options: ImportChoices): Promise<void> {
    const names = tables.map(({ source }) => `“${nameOf(source)}”`).join(', ');
    const chosen = await questions.choose({
      title: tables.length === 1 ? `Is ${names} ListOps data?` : 'Are these ListOps data?',
      body: [
        ...(tables.length === 1 ? [] : [names]),
        'ListOps data are lines of a label, a tab and an expression such as [MAX 2 9 [MIN 4 7 ] 0 ], for training classifiers. Other tables can be imported as text.',
      ],
      action: 'Import as ListOps',
      otherwise: `Import as ${tokenizerWords(tokenizerOf(options))}`,
    });
    if (chosen !== null)
      this.#queue(tables, chosen === 'action' ? { ...options, tokenizer: 'listops' } : options);
  }

  /** One at a time: learning a tokenizer uses the whole machine as it is. */
  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    for (;;) {
      const next = this.list.find((text) => text.stage === 'waiting' && text.error === null);
      if (next === undefined) break;
      if (core.standing === 'connected') await this.#import(next);
      else await nextConnection(); // without one the rest would only fail, one after the other
    }
    this.#working = false;
  }

  async #import(text: TextImport): Promise<void> {
    const { tokenizer, validationShare } = text.request;
    try {
      const place = await this.#deliver(text);
      const known = datasets.list.map(({ id }) => id);
      const dataset = await core.call(
        'datasets.import',
        { ...place, validationShare, ...(tokenizer === null ? {} : { tokenizer }) },
        text.signal,
      );
      datasets.put(dataset);
      this.#forget(text);
      this.#imported(dataset, known.includes(dataset.id), text);
    } catch (error) {
      if (text.signal.aborted) this.#forget(text);
      else text.fail(error);
    }
  }

  /** Makes a text readable for the core: a path of its machine, or an upload. */
  async #deliver(text: TextImport): Promise<Pick<Input<'datasets.import'>, 'path' | 'upload'>> {
    const { source } = text.request;
    if (source.kind !== 'file') {
      this.#own.add(source.path);
      text.advance('reading', 0, text.bytes ?? 0);
      return { path: source.path };
    }
    const { file } = source;
    text.advance('uploading', 0, file.size);
    const { upload, path } = await core.upload(
      file,
      (sent) => text.advance('uploading', sent, file.size),
      text.signal,
    );
    text.path = path;
    this.#own.add(path);
    text.advance('reading', 0, file.size);
    return { upload };
  }

  #imported(dataset: Dataset, known: boolean, text: TextImport): void {
    tell(dataset, known ? text.name : null);
    const { id } = dataset;
    // Only if the person is still where the import brought them.
    const shown = window.location.hash === text.request.begunAt && router.route.screen === 'data';
    if (shown) router.go({ screen: 'data', id });
  }

  #apply(event: CoreEvent): void {
    if (event.type === 'import-progress') {
      const { path, stage, done, total } = event;
      const shown = this.list.find((text) => text.path === path && text.underWay);
      if (shown !== undefined) shown.advance(stage, done, total);
      else if (!this.#own.has(path)) this.#watch(path).advance(stage, done, total);
    }
    if (event.type === 'dataset-changed') this.#arrived = event.dataset;
    if (event.type === 'import-ended') {
      if (!this.#own.delete(event.path)) this.#endedElsewhere(event.path);
      this.#arrived = null;
      this.list = this.list.filter(({ elsewhere, path }) => !elsewhere || path !== event.path);
    }
  }

  /** Tells of what another program imported, or this page before it was loaded anew. */
  #endedElsewhere(path: string): void {
    const dataset = this.#arrived;
    // What is renamed at the same time has changed as well, but comes from another text.
    if (dataset !== null && path.endsWith(dataset.source)) tell(dataset, null);
  }

  /** Lists an import that another program has begun. */
  #watch(path: string): TextImport {
    const source = { kind: 'elsewhere', path } as const;
    return this.#add({
      ...{ source, bytes: null, tokenizer: null, validationShare: NaN, begunAt: '' },
    });
  }

  #add(request: ImportRequest): TextImport {
    const text = new TextImport(this.#nextId++, request);
    this.list = [...this.list, text];
    return text;
  }

  #forget(text: TextImport): void {
    this.list = this.list.filter((other) => other !== text);
  }
}

type NewText = Pick<ImportRequest, 'source' | 'bytes'>;

/**
 * Says that a text is a dataset now, and what of it is not as one may expect.
 * @param before the text's name, where it was imported before
 */
function tell(dataset: Dataset, before: string | null): void {
  const { id, name, trainTokens, validationTokens } = dataset;
  const tokens = format.plural(trainTokens + validationTokens, 'token');
  const sentence =
    before === null
      ? `Imported “${name}”: ${tokens}.`
      : `“${before}” was imported before: it is the dataset “${name}”.`;
  const train = {
    label: 'Train on it',
    run: () => router.go({ screen: 'new', from: null, data: id }),
  };
  // Its screen tells more.
  if (tooShort(dataset) !== null) notices.caution(`${sentence} That is too short to train on.`);
  else if (smallVocabulary(dataset) !== null)
    notices.caution(`${sentence} Its vocabulary came out smaller than asked for.`, train);
  else notices.done(sentence, train);
}

/** In the shell the file's path; null for what is not a file of this machine. */
function sourceOf(file: File): ImportSource | null {
  if (desktop === null) return { kind: 'file', file };
  const path = desktop.pathForFile(file);
  return path === '' ? null : { kind: 'path', path };
}

function nextConnection(): Promise<void> {
  return new Promise((resolve) => {
    const end = core.onConnect(() => {
      end();
      resolve();
    });
  });
}

const notHere = ({ name }: File): SwitchyardError =>
  new SwitchyardError(
    'invalid-argument',
    `“${name}” is not a file on this machine. Save it first, then drop the saved file.`,
  );

export const imports = new Imports();
