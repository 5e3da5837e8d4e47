/**
 * Where the command line writes. For people: lines on stdout, notes on stderr, and on a terminal one
 * line at the bottom that is rewritten in place. With `--json`: one object a line on stdout and
 * nothing else there.
 */
import type { WriteStream } from 'node:tty';
import { styleText } from 'node:util';
import { width } from './table.ts';

export type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan';

/** Colours text where the stream shows colours (a terminal, and NO_COLOR is not set). */
export type Paint = (style: Style, text: string) => string;

export class Output {
  readonly json: boolean;
  /** Whether a person watches stdout, so that a line may be rewritten in place. */
  readonly live: boolean;
  readonly #stdout: WriteStream;
  readonly #stderr: WriteStream;
  #status = '';
  #closed: () => void = () => process.exit(0);

  constructor(options: { json: boolean; stdout?: WriteStream; stderr?: WriteStream }) {
    this.json = options.json;
    this.#stdout = options.stdout ?? process.stdout;
    this.#stderr = options.stderr ?? process.stderr;
    this.live = !this.json && this.#stdout.isTTY && process.env['TERM'] !== 'dumb';
    // `switchyard runs | head` closes the pipe early: there is nobody left to tell.
    const onError = (error: NodeJS.ErrnoException): void => {
      if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
      this.#closed();
    };
    this.#stdout.on('error', onError);
    this.#stderr.on('error', onError);
  }

  /** Columns of the terminal; generous where there is none, since nothing wraps there. */
  get columns(): number {
    return this.#stdout.isTTY ? this.#stdout.columns || 80 : 160;
  }

  /** What to do when the reader of stdout has gone; by default the process ends quietly. */
  onClosed(listener: () => void): void {
    this.#closed = listener;
  }

  paint: Paint = (style, text) => styleText(style, text, { stream: this.#stdout });

  /** Lines for people on stdout; nothing with `--json`. */
  line(...lines: string[]): void {
    if (this.json) return;
    this.#withoutStatus(() => this.#stdout.write(`${lines.join('\n')}\n`));
  }

  /** Text for people on stdout as it is, without a line end. */
  text(text: string): void {
    if (!this.json) this.#stdout.write(text);
  }

  /** One object on one line of stdout, only with `--json`. */
  record(record: { readonly type: string; readonly [key: string]: unknown }): void {
    if (this.json) this.#stdout.write(`${JSON.stringify(record)}\n`);
  }

  /** A sentence on stderr, for people, in either mode. */
  note(text: string): void {
    this.#withoutStatus(() => this.#stderr.write(`${text}\n`));
  }

  /** Replaces the line at the bottom; does nothing unless `live`. An empty text removes it. */
  status(text: string): void {
    if (!this.live || text === this.#status) return;
    this.#status = text;
    // Back to the first column, the text, then erase what is left of the line before.
    this.#stdout.write(`\r${text}\u001b[K`);
  }

  /** Resolves once everything written has left the process. */
  async flush(): Promise<void> {
    this.status('');
    await Promise.all(
      [this.#stdout, this.#stderr].map(
        (stream) =>
          new Promise<void>((resolve) => {
            if (stream.writable) stream.write('', () => resolve());
            else resolve();
          }),
      ),
    );
  }

  #withoutStatus(write: () => void): void {
    const status = this.#status;
    this.status('');
    write();
    this.status(status);
  }
}

/** As many of the parts, from the first, as fit in so many columns. */
export function fit(parts: readonly string[], columns: number): string[] {
  const kept = [...parts];
  // The last column stays free: some terminals wrap as soon as it is filled.
  while (kept.length > 1 && width(kept.join('  ')) >= columns) kept.pop();
  return kept;
}
