/**
 * Runs wait here for their device: one at a time on each, first come, first served. What a run does
 * is told to its journal.
 */
import { SwitchyardError, toErrorRecord } from '../contract/errors.ts';
import type { Journal } from './journal.ts';
import type { TrainerTask } from './messages.ts';
import { createRecorder } from './recorder.ts';
import { startTraining, type Training } from './training.ts';

export interface TrainingJob {
  readonly runId: string;
  readonly task: Omit<TrainerTask, 'control'>;
  readonly journal: Journal;
}

interface Entry {
  readonly job: TrainingJob;
  /** Present while it trains or is paused. */
  training?: Training;
  /** Resolves after the journal's `paused` or `resumed`, and is then replaced. */
  turned: PromiseWithResolvers<undefined>;
  /** Resolves after the journal's `ended`. */
  readonly gone: PromiseWithResolvers<undefined>;
}

export class TrainingQueue {
  /** By device: the first one trains, the others wait. */
  private readonly lines = new Map<string, Entry[]>();
  private closed = false;

  /**
   * Starts the run, or lets it wait until its device is free.
   * @throws SwitchyardError `interrupted` after `stopAll`
   */
  add(job: TrainingJob): void {
    this.requireOpen();
    const entry: Entry = {
      job,
      turned: Promise.withResolvers<undefined>(),
      gone: Promise.withResolvers<undefined>(),
    };
    const line = this.lineOf(entry);
    line.push(entry);
    if (line.length === 1) this.start(entry);
  }

  has(runId: string): boolean {
    return this.find(runId) !== undefined;
  }

  /** @throws SwitchyardError `interrupted` after `stopAll`: whoever asks should not create a run either */
  requireOpen(): void {
    if (this.closed)
      throw new SwitchyardError(
        'interrupted',
        'Switchyard is closing; no run is started any more.',
      );
  }

  /** Ends a run: a waiting one at once, a training one after its checkpoint. False if it is not here. */
  async stop(runId: string): Promise<boolean> {
    const entry = this.find(runId);
    if (entry === undefined) return false;
    if (entry.training !== undefined) entry.training.stop();
    else this.finish(entry, () => entry.job.journal.ended({ status: 'stopped' }));
    await entry.gone.promise;
    return true;
  }

  /**
   * Lets a training run write a checkpoint and wait, with its device; resolves once it does, or has
   * ended. False if it is not training here.
   */
  async pause(runId: string): Promise<boolean> {
    return this.turn(runId, (training) => training.pause());
  }

  /** Lets a paused run go on; resolves once it does, or has ended. False if it is not here. */
  async unpause(runId: string): Promise<boolean> {
    return this.turn(runId, (training) => training.unpause());
  }

  /** Stops every run, waiting ones first, so that none of them starts; takes no more. */
  async stopAll(): Promise<void> {
    this.closed = true;
    const entries = [...this.lines.values()].flat();
    await Promise.all(entries.reverse().map(({ job }) => this.stop(job.runId)));
  }

  private async turn(runId: string, ask: (training: Training) => void): Promise<boolean> {
    const entry = this.find(runId);
    if (entry?.training === undefined) return false;
    const { turned, gone } = entry;
    ask(entry.training);
    await Promise.race([turned.promise, gone.promise]);
    return true;
  }

  private lineOf({ job }: Entry): Entry[] {
    const device = job.task.backend;
    const line = this.lines.get(device) ?? [];
    this.lines.set(device, line);
    return line;
  }

  private find(runId: string): Entry | undefined {
    return [...this.lines.values()].flat().find(({ job }) => job.runId === runId);
  }

  private start(entry: Entry): void {
    const { journal, task } = entry.job;
    try {
      journal.starting();
    } catch (error) {
      this.finish(entry, () => journal.ended({ status: 'failed', error: toErrorRecord(error) }));
      return;
    }
    const recorder = createRecorder(tellingTurns(entry), {
      onFailure: (error) => training.abandon(error),
    });
    const training = startTraining(task, (event) => recorder.event(event));
    entry.training = training;
    void training.ended.then(async (end) => {
      const failure = await recorder.close();
      this.finish(entry, () =>
        journal.ended(
          failure === undefined ? end : { status: 'failed', error: toErrorRecord(failure) },
        ),
      );
    });
  }

  /** Takes a run out of its line and lets the next one start. */
  private finish(entry: Entry, tellJournal: () => void): void {
    const line = this.lineOf(entry);
    const wasFirst = line[0] === entry;
    line.splice(line.indexOf(entry), 1);
    try {
      tellJournal();
    } finally {
      entry.gone.resolve(undefined);
      if (wasFirst && line.length > 0) this.start(line[0]);
    }
  }
}

/** The entry's journal, which also wakes those who wait for a pause or its end to be recorded. */
function tellingTurns(entry: Entry): Journal {
  const { journal } = entry.job;
  const turned = (): void => {
    entry.turned.resolve(undefined);
    entry.turned = Promise.withResolvers<undefined>();
  };
  return {
    ...journal,
    paused: (step) => {
      journal.paused(step);
      turned();
    },
    resumed: (step) => {
      journal.resumed(step);
      turned();
    },
  };
}
