/** The core cannot be started, or not again: its sentence, and the details for a report. */
import type { MessageBoxOptions } from 'electron';
import type { ErrorRecord } from '../core/contract/errors.ts';

export interface FailureParts {
  /** Asks a person; the number of the button. */
  ask(options: MessageBoxOptions): Promise<number>;
  copy(text: string): void;
  /** What the details begin with: versions and platform. */
  readonly about: string;
}

const copyDetails = 1;

/** Settles once the person has seen enough; the app then quits. */
export async function explainFailure(error: ErrorRecord, parts: FailureParts): Promise<void> {
  const options: MessageBoxOptions = {
    type: 'error',
    message: 'Switchyard’s core is not running.',
    detail: error.message,
    buttons: ['Quit', 'Copy details'],
    defaultId: 0,
    cancelId: 0,
    noLink: true,
  };
  while ((await parts.ask(options)) === copyDetails) {
    parts.copy([parts.about, `${error.code}: ${error.message}`, error.stack ?? ''].join('\n'));
  }
}
