/**
 * Runs wait here for their device: one at a time on each, first come, first served. What a run does
 * is told to its journal.
 */
import { toErrorRecord } from '../contract/errors.ts';
import type { Journal } from './journal.ts';
import type { TrainerTask } from './messages.ts';
import { createRecorder } from './recorder.ts';
import { startTraining, type Training } from './training.ts';

export interface TrainingJob {
  readonly runId: string;
  readonly task: Omit<TrainerTask, 'stop'>;
  readonly journal: Journal;
}

interface Entry {
  readonly job: TrainingJob;
  /** Present while it trains. */
  training?: Training;
  /** Resolves after the journal's `ended`. */
  readonly gone: PromiseWithResolvers<undefined>;
}

export class TrainingQueue {
  /** By device: the first one trains, the others wait. */
  private readonly lines = new Map<string, Entry[]>();

  /** Starts the run, or lets it wait until its device is free. */
  add(job: TrainingJob): void {
    const entry: Entry = { job, gone: Promise.withResolvers<undefined>() };
    const line = this.lineOf(entry);
    line.push(entry);
    if (line.length === 1) this.start(entry);
  }

  has(runId: string): boolean {
    return this.find(runId) !== undefined;
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

  /** Stops every run; waiting ones first, so that none of them starts. */
  async stopAll(): Promise<void> {
    const entries = [...this.lines.values()].flat();
    await Promise.all(entries.reverse().map(({ job }) => this.stop(job.runId)));
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
    const recorder = createRecorder(journal, { onFailure: (error) => training.abandon(error) });
    const training = startTraining(task, (event) => recorder.event(event));
    entry.training = training;
    void training.ended.then((end) => {
      const failure = recorder.close();
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
