/**
 * The way out. Whatever asks for it (the window's button, the menu, the tray, a signal), the core
 * ends first, with checkpoints of what it trains; while something trains, somebody is asked before.
 */
import type { MessageBoxOptions } from 'electron';
import { plural } from '../core/contract/format.ts';
import type { Run } from '../core/contract/records.ts';

export interface LeavingParts {
  /** Queued, running and paused runs. */
  active(): Run[];
  /** Asks a person; the number of the button. */
  ask(options: MessageBoxOptions): Promise<number>;
  /** Keeps going without the window. */
  toBackground(): void;
  /** Just before the core is stopped: nothing may start any more. */
  leaving(): void;
  /** Ends the core; called again while it does, ends it at once. */
  stopCore(): Promise<void>;
  /** Ends the app; its events come back here and are let through. */
  quit(): void;
  setTimeout(work: () => void, milliseconds: number): unknown;
}

export interface Leaving {
  /** For the window's `close` and the app's `before-quit`. */
  request(event: { preventDefault(): void }): void;
  /** For a system that shuts down: nobody is asked. */
  now(): void;
  /** Whether the core is being stopped, or has been. */
  begun(): boolean;
}

/** Checkpoints take seconds; a core that has not ended after this many milliseconds is killed. */
const patience = 60_000;

export function createLeaving(parts: LeavingParts): Leaving {
  let state: 'staying' | 'asking' | 'stopping' | 'gone' = 'staying';

  const stop = async (): Promise<void> => {
    state = 'stopping';
    parts.leaving();
    parts.setTimeout(() => {
      if (state === 'stopping') void parts.stopCore();
    }, patience);
    try {
      await parts.stopCore();
    } finally {
      state = 'gone';
      parts.quit();
    }
  };

  const ask = async (training: readonly Run[]): Promise<void> => {
    state = 'asking';
    const answer = await parts.ask(question(training));
    // A shutdown may have come while the question was open.
    if (state !== 'asking') return;
    state = 'staying';
    if (answer === answers.background) parts.toBackground();
    else if (answer === answers.quit) await stop();
  };

  const leave = (): void => {
    // A paused run has its checkpoint: nothing is lost with it.
    const training = parts.active().filter(({ status }) => status !== 'paused');
    void (training.length > 0 ? ask(training) : stop());
  };

  return {
    request: (event) => {
      if (state === 'gone') return;
      event.preventDefault();
      if (state === 'staying') leave();
    },
    now: () => {
      if (state === 'staying' || state === 'asking') void stop();
    },
    begun: () => state === 'stopping' || state === 'gone',
  };
}

const answers = { background: 0, quit: 1, cancel: 2 } as const;

function question(training: readonly Run[]): MessageBoxOptions {
  const [first] = training;
  const message =
    training.length === 1 && first !== undefined
      ? `${first.name} ${first.status === 'queued' ? 'waits to be trained' : 'is training'}.`
      : `${plural(training.length, 'run')} are training or wait to be trained.`;
  return {
    type: 'question',
    message,
    detail:
      'In the background, training goes on and a notification tells when it ends; starting Switchyard again brings the window back. Quitting writes a checkpoint first, from which the run can be resumed.',
    buttons: ['Keep training in the background', 'Checkpoint and quit', 'Cancel'],
    defaultId: answers.background,
    cancelId: answers.cancel,
    noLink: true,
  };
}
