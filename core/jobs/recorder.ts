/**
 * Between a training thread and its journal: step metrics are collected and kept in one transaction
 * at most every half second, so that a crash loses at most the last second and a fast run does not
 * spend its time on transactions. Everything else is kept at once, after the metrics before it.
 */
import { fromErrorRecord, SwitchyardError, toErrorRecord } from '../contract/errors.ts';
import type { StepMetric, ValidationMetric } from '../contract/records.ts';
import type { TrainEvent } from '../train/events.ts';
import type { Journal } from './journal.ts';

export interface RecorderOptions {
  /** Longest time that a metric waits, in milliseconds. Default 500. */
  interval?: number;
  /** Called once, with the first failure; what comes after it is dropped. */
  onFailure: (error: SwitchyardError) => void;
}

export interface Recorder {
  /** Never throws. */
  event(event: TrainEvent): void;
  /** Keeps what is left; returns what went wrong since the beginning, if anything did. */
  close(): SwitchyardError | undefined;
}

export function createRecorder(
  journal: Journal,
  { interval = 500, onFailure }: RecorderOptions,
): Recorder {
  let steps: StepMetric[] = [];
  let validations: ValidationMetric[] = [];
  let timer: NodeJS.Timeout | undefined;
  let failure: SwitchyardError | undefined;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (steps.length === 0 && validations.length === 0) return;
    journal.metrics(steps, validations);
    steps = [];
    validations = [];
  };
  const guarded = (work: () => void): void => {
    if (failure !== undefined) return;
    try {
      work();
    } catch (error) {
      clearTimeout(timer);
      failure = asSwitchyardError(error);
      onFailure(failure);
    }
  };
  const record = (event: TrainEvent): void => {
    switch (event.type) {
      case 'started':
        journal.started(event);
        return;
      case 'step':
        steps.push(event.metric);
        timer ??= setTimeout(() => guarded(flush), interval);
        return;
      case 'validation':
        validations.push(event.metric);
        flush();
        return;
      case 'checkpoint':
        flush();
        journal.checkpoint(event);
        return;
      case 'log':
        flush();
        journal.log(event.level, event.message);
    }
  };
  return {
    event: (event) => guarded(() => record(event)),
    close: () => {
      guarded(flush);
      return failure;
    },
  };
}

function asSwitchyardError(error: unknown): SwitchyardError {
  return error instanceof SwitchyardError ? error : fromErrorRecord(toErrorRecord(error));
}
