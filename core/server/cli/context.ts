/** What every command is given beside its own arguments. */
import type { Output } from './output.ts';

export interface Context {
  readonly out: Output;
  /** The data directory, or undefined for the default one. */
  readonly home: string | undefined;
}

/** A command that people can type next, with this call's `--home` where one was given. */
export function hint({ home }: Context, command: string): string {
  return `switchyard ${command}${home === undefined ? '' : ` --home ${quoted(home)}`}`;
}

/** An argument as a shell takes it. */
export function quoted(argument: string): string {
  return /^[\w./:@%+=-]+$/u.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}
