/** One text on its way to becoming a dataset. */
import { toErrorRecord, type ErrorRecord } from '../../core/contract/errors.ts';

export type ImportStage = 'waiting' | 'uploading' | 'reading' | 'training' | 'encoding';

/** `elsewhere`: another program imports it; it is only watched. */
export type ImportSource =
  | { kind: 'file'; file: File }
  | { kind: 'path'; path: string }
  | { kind: 'elsewhere'; path: string };

/** What is fixed when an import is begun. */
export interface ImportRequest {
  source: ImportSource;
  /** Of the text; null until it is known. */
  bytes: number | null;
  /** As the configuration names it; unknown of what another program imports. */
  tokenizer: string | null;
  validationShare: number;
  /** The fragment of the screen from which it was begun. */
  begunAt: string;
}

export class TextImport {
  readonly id: number;
  readonly name: string;
  readonly request: ImportRequest;
  bytes = $state<number | null>(null);
  stage = $state<ImportStage>('waiting');
  /** Of the stage, in bytes. */
  done = $state(0);
  total = $state(0);
  /** Why it ended, when it failed. */
  error = $state.raw<ErrorRecord | null>(null);
  /** As the core's events name it; null until that is known. */
  path: string | null;
  #abort = new AbortController();

  constructor(id: number, request: ImportRequest) {
    const { source, bytes } = request;
    this.id = id;
    this.request = request;
    this.bytes = bytes;
    this.path = source.kind === 'file' ? null : source.path;
    this.name = nameOf(source);
  }

  get elsewhere(): boolean {
    return this.request.source.kind === 'elsewhere';
  }

  /** Whether it is at work: neither waiting nor failed. */
  get underWay(): boolean {
    return this.stage !== 'waiting' && this.error === null;
  }

  /** Whether it may succeed another time: what a file holds stays what it is. */
  get worthRetrying(): boolean {
    return this.error !== null && this.error.code !== 'invalid-data';
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Ends it in whatever stage it is; what waits is taken from its queue by `imports`. */
  abort(): void {
    this.#abort.abort();
  }

  advance(stage: ImportStage, done: number, total: number): void {
    this.stage = stage;
    this.done = done;
    this.total = total;
    if (stage !== 'uploading') this.bytes = total;
  }

  /** An upload's file has left its place by now; people know it by its name. */
  fail(error: unknown): void {
    const record = toErrorRecord(error);
    const uploaded = this.request.source.kind === 'file' && this.path !== null;
    this.error = uploaded
      ? { ...record, message: record.message.replaceAll(this.path ?? '', `“${this.name}”`) }
      : record;
  }
}

/** The file's name. */
export function nameOf(source: ImportSource): string {
  return source.kind === 'file'
    ? source.file.name
    : (source.path.split(/[\\/]/u).at(-1) ?? source.path);
}
