/** One run's training thread, seen from the core. */
import { toErrorRecord, type ErrorRecord, type SwitchyardError } from '../contract/errors.ts';
import type { TrainEvent } from '../train/events.ts';
import { trainerControl, type TrainerTask } from './messages.ts';
import { startWorker } from './startWorker.ts';

export type TrainingEnd =
  { status: 'finished' | 'stopped' } | { status: 'failed'; error: ErrorRecord };

export interface Training {
  /** Asks it to write a checkpoint and end, paused or not; `ended` tells when it has. */
  stop(): void;
  /** Asks it to write a checkpoint and wait; its `paused` event tells when it does. */
  pause(): void;
  /** Lets it go on when it is paused; its `resumed` event tells when it does. */
  unpause(): void;
  /** Ends it at once, without a checkpoint: nothing it does can be recorded any more. */
  abandon(reason: SwitchyardError): void;
  /** Never rejects. */
  readonly ended: Promise<TrainingEnd>;
}

/** @param onEvent must not throw */
export function startTraining(
  task: Omit<TrainerTask, 'control'>,
  onEvent: (event: TrainEvent) => void,
): Training {
  const shared = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const control = new Int32Array(shared);
  const { goOn, stop, pause } = trainerControl;
  let abandoned: SwitchyardError | undefined;
  const worker = startWorker('trainer', { ...task, control: shared }, (event) => {
    if (abandoned === undefined) onEvent(event);
  });
  const ended = worker.result.then(
    ({ reason }): TrainingEnd =>
      abandoned === undefined
        ? { status: reason }
        : { status: 'failed', error: toErrorRecord(abandoned) },
    (error: unknown): TrainingEnd => ({
      status: 'failed',
      error: toErrorRecord(abandoned ?? error),
    }),
  );
  return {
    stop: () => {
      Atomics.store(control, 0, stop);
      Atomics.notify(control, 0);
    },
    // A stop that was asked for stays.
    pause: () => void Atomics.compareExchange(control, 0, goOn, pause),
    unpause: () => {
      Atomics.compareExchange(control, 0, pause, goOn);
      Atomics.notify(control, 0);
    },
    abandon: (reason) => {
      abandoned ??= reason;
      void worker.terminate();
    },
    ended,
  };
}
