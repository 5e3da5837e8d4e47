/** One run's training thread, seen from the core. */
import { toErrorRecord, type ErrorRecord, type SwitchyardError } from '../contract/errors.ts';
import type { TrainEvent } from '../train/events.ts';
import { trainerControl, type TrainerTask } from './messages.ts';
import { startWorker } from './startWorker.ts';

/** `interrupted`: its device was lost; what it had trained goes on from its last checkpoint. */
export type TrainingEnd =
  { status: 'finished' | 'stopped' } | { status: 'interrupted' | 'failed'; error: ErrorRecord };

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

/**
 * @param onEvent must not throw
 * @param entry for tests: another file than the trainer's
 */
export function startTraining(
  task: Omit<TrainerTask, 'control'>,
  onEvent: (event: TrainEvent) => void,
  entry?: URL,
): Training {
  const shared = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const control = new Int32Array(shared);
  const { goOn, stop, pause } = trainerControl;
  let abandoned: SwitchyardError | undefined;
  const tell = (event: TrainEvent): void => {
    if (abandoned === undefined) onEvent(event);
  };
  const worker = startWorker('trainer', { ...task, control: shared }, tell, entry);
  const ended = worker.result.then(
    ({ reason }): TrainingEnd =>
      abandoned === undefined
        ? { status: reason }
        : { status: 'failed', error: toErrorRecord(abandoned) },
    (thrown: unknown): TrainingEnd => {
      const error = toErrorRecord(abandoned ?? thrown);
      const lost = abandoned === undefined && error.code === 'interrupted';
      return { status: lost ? 'interrupted' : 'failed', error };
    },
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
