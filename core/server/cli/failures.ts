/** From anything thrown to a message and an exit code: 1 for what went wrong, 2 for a wrong call. */
import { CommanderError } from 'commander';
import { SwitchyardError, toErrorRecord, type ErrorRecord } from '../../contract/errors.ts';
import type { Output } from './output.ts';

/** Exit code of a command that a person stopped: 128 + SIGINT, as shells have it. */
export const interruptedExit = 130;

/** Tells what happened, in the form the caller asked for, and returns the exit code. */
export function report(error: unknown, out: Output): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0; // help or version: already printed
    tell({ code: 'invalid-argument', message: usageSentence(error) }, out);
    return 2;
  }
  tell(toErrorRecord(error), out);
  return 1;
}

function tell({ code, message, stack }: ErrorRecord, out: Output): void {
  if (out.json) {
    out.record({ type: 'error', code, message });
    return;
  }
  out.status('');
  out.note(message);
  if (code !== 'internal') return;
  if (stack !== undefined) out.note(`\n${stack}\n`);
  out.note('This is a fault in Switchyard. Please report it with the lines above.');
}

/** Commander's "error: unknown option '--sed'\n(Did you mean --seed?)" as a sentence. */
function usageSentence({ message }: CommanderError): string {
  const [first = '', ...more] = message.replace(/^error: /u, '').split('\n');
  const sentence = first.charAt(0).toUpperCase() + first.slice(1);
  return [/[.?!)]$/u.test(sentence) ? sentence : `${sentence}.`, ...more].join(' ');
}

/** A usage fault found by a command itself. */
export function usageError(message: string): CommanderError {
  return new CommanderError(2, 'switchyard.usage', message);
}

/** The error of a file-system call on `path`, as a sentence; one of ours passes unchanged. */
export function fileError(error: unknown, path: string, doing: string): SwitchyardError {
  if (error instanceof SwitchyardError) return error;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return new SwitchyardError('not-found', `There is no file ${path}.`);
  if (code === 'EISDIR')
    return new SwitchyardError('invalid-argument', `${path} is a folder, not a file.`);
  if (code === 'ENOTDIR' || code === 'EEXIST')
    return new SwitchyardError(
      'invalid-argument',
      `Cannot ${doing} ${path}: a part of the path is a file, not a folder.`,
    );
  if (code === 'EACCES' || code === 'EPERM')
    return new SwitchyardError('invalid-argument', `No permission to ${doing} ${path}.`);
  if (code === 'ENOSPC')
    return new SwitchyardError('disk-full', `The disk is full: ${path} could not be written.`);
  const reason = error instanceof Error ? error.message : String(error);
  return new SwitchyardError('invalid-argument', `Cannot ${doing} ${path}: ${reason}.`, {
    cause: error,
  });
}
