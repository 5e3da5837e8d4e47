/**
 * Between a training thread and its journal: step metrics are collected and kept in one transaction
 * at most every half second, so that a crash loses at most the last second and a fast run does not
 * spend its time on transactions. Everything else is kept at once, after the metrics before it.
 *
 * While the journal cannot keep anything for the moment, events wait here in their order.
 */
import { fromErrorRecord, SwitchyardError, toErrorRecord } from '../contract/errors.ts';
import type { StepMetric, ValidationMetric } from '../contract/records.ts';
import type { TrainEvent } from '../train/events.ts';
import type { Journal } from './journal.ts';

export interface RecorderOptions {
  /** Longest time that a metric waits, in milliseconds. Default 500. */
  interval?: number;
  /** How long a journal that is busy is tried again before that is a failure, in milliseconds. Default 60,000. */
  patience?: number;
  /** Called once, with the first failure; what comes after it is dropped. */
  onFailure: (error: SwitchyardError) => void;
}

export interface Recorder {
  /** Never throws. */
  event(event: TrainEvent): void;
  /** Keeps what is left; resolves with what went wrong since the beginning, if anything did. */
  close(): Promise<SwitchyardError | undefined>;
}

export function createRecorder(
  journal: Journal,
  { interval = 500, patience = 60_000, onFailure }: RecorderOptions,
): Recorder {
  let waiting: TrainEvent[] = [];
  let timer: NodeJS.Timeout | undefined;
  let busySince: number | undefined;
  let failure: SwitchyardError | undefined;
  let closed: PromiseWithResolvers<undefined> | undefined;

  const fail = (error: unknown): void => {
    waiting = [];
    failure = asSwitchyardError(error);
    onFailure(failure);
  };
  const keepAll = (): void => {
    while (waiting.length > 0) {
      const batch = metricsAtStart(waiting);
      if (batch.count > 0) journal.metrics(batch.steps, batch.validations);
      else keep(journal, waiting[0]);
      waiting.splice(0, Math.max(batch.count, 1));
      busySince = undefined;
    }
  };
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    try {
      keepAll();
    } catch (error) {
      busySince ??= performance.now();
      if (journal.isBusy(error) && performance.now() - busySince < patience) {
        timer = setTimeout(flush, interval);
        return;
      }
      fail(error);
    }
    closed?.resolve(undefined);
  };
  return {
    event: (event) => {
      if (failure !== undefined) return;
      waiting.push(event);
      if (event.type === 'step') timer ??= setTimeout(flush, interval);
      else if (busySince === undefined) flush();
    },
    close: async () => {
      closed = Promise.withResolvers<undefined>();
      flush();
      await closed.promise;
      return failure;
    },
  };
}

/** The metrics that the waiting events begin with, to be kept together. */
function metricsAtStart(events: readonly TrainEvent[]): {
  count: number;
  steps: StepMetric[];
  validations: ValidationMetric[];
} {
  const steps: StepMetric[] = [];
  const validations: ValidationMetric[] = [];
  for (const event of events) {
    if (event.type === 'step') steps.push(event.metric);
    else if (event.type === 'validation') validations.push(event.metric);
    else break;
  }
  return { count: steps.length + validations.length, steps, validations };
}

function keep(journal: Journal, event: TrainEvent): void {
  switch (event.type) {
    case 'started':
      journal.started(event);
      return;
    case 'step':
      journal.metrics([event.metric], []);
      return;
    case 'validation':
      journal.metrics([], [event.metric]);
      return;
    case 'checkpoint':
      journal.checkpoint(event);
      return;
    case 'paused':
      journal.paused(event.step);
      return;
    case 'resumed':
      journal.resumed(event.step);
      return;
    case 'log':
      journal.log(event.level, event.message);
  }
}

function asSwitchyardError(error: unknown): SwitchyardError {
  return error instanceof SwitchyardError ? error : fromErrorRecord(toErrorRecord(error));
}
