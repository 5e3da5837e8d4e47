/** One run's training thread, seen from the core. */
import { toErrorRecord, type ErrorRecord, type SwitchyardError } from '../contract/errors.ts';
import type { TrainEvent } from '../train/events.ts';
import type { TrainerTask } from './messages.ts';
import { startWorker } from './startWorker.ts';

export type TrainingEnd =
  { status: 'finished' | 'stopped' } | { status: 'failed'; error: ErrorRecord };

export interface Training {
  /** Asks it to write a checkpoint and end; `ended` tells when it has. */
  stop(): void;
  /** Ends it at once, without a checkpoint: nothing it does can be recorded any more. */
  abandon(reason: SwitchyardError): void;
  /** Never rejects. */
  readonly ended: Promise<TrainingEnd>;
}

/** @param onEvent must not throw */
export function startTraining(
  task: Omit<TrainerTask, 'stop'>,
  onEvent: (event: TrainEvent) => void,
): Training {
  const stop = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const flag = new Int32Array(stop);
  let abandoned: SwitchyardError | undefined;
  const worker = startWorker('trainer', { ...task, stop }, (event) => {
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
    stop: () => void Atomics.store(flag, 0, 1),
    abandon: (reason) => {
      abandoned ??= reason;
      void worker.terminate();
    },
    ended,
  };
}
