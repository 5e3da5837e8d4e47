/** Threads that do one thing for one call: imports, sampling, exports. */
import { SwitchyardError } from '../contract/errors.ts';
import type { WorkerKind, Workers } from './messages.ts';
import { startWorker, type RunningWorker } from './startWorker.ts';

export class BackgroundJobs {
  private readonly running = new Set<RunningWorker<WorkerKind>>();
  private closed = false;

  /**
   * Does a task in a thread of its own.
   * @param onProgress must not throw
   */
  async run<K extends Exclude<WorkerKind, 'trainer'>>(
    kind: K,
    task: Workers[K]['task'],
    onProgress: (progress: Workers[K]['progress']) => void = () => undefined,
  ): Promise<Workers[K]['result']> {
    if (this.closed)
      throw new SwitchyardError('interrupted', 'Switchyard is closing; nothing new is started.');
    const worker: RunningWorker<K> = startWorker(kind, task, onProgress);
    this.running.add(worker);
    try {
      return await worker.result;
    } finally {
      this.running.delete(worker);
    }
  }

  /** Ends what is running; its calls reject with `interrupted`. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.running].map((worker) => worker.terminate()));
  }
}
