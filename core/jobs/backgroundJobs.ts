/** Threads that do one thing for one call: imports, sampling, exports. */
import { SwitchyardError } from '../contract/errors.ts';
import type { AbortSignal } from '../contract/protocol.ts';
import type { WorkerKind, Workers } from './messages.ts';
import { startWorker, type RunningWorker } from './startWorker.ts';

export interface JobOptions<K extends WorkerKind> {
  /** Must not throw. */
  onProgress?: (progress: Workers[K]['progress']) => void;
  /** Ends the thread at once; the call rejects with `interrupted`. */
  signal?: AbortSignal | undefined;
}

export class BackgroundJobs {
  private readonly running = new Set<RunningWorker<WorkerKind>>();
  private closed = false;

  /** Does a task in a thread of its own. */
  async run<K extends Exclude<WorkerKind, 'trainer'>>(
    kind: K,
    task: Workers[K]['task'],
    { onProgress = () => undefined, signal }: JobOptions<K> = {},
  ): Promise<Workers[K]['result']> {
    if (this.closed)
      throw new SwitchyardError('interrupted', 'Switchyard is closing; nothing new is started.');
    if (signal?.aborted === true)
      throw new SwitchyardError('interrupted', 'It was cancelled before it had begun.');
    const worker: RunningWorker<K> = startWorker(kind, task, onProgress);
    const cancel = (): void => void worker.terminate();
    signal?.addEventListener('abort', cancel, { once: true });
    this.running.add(worker);
    try {
      return await worker.result;
    } finally {
      signal?.removeEventListener('abort', cancel);
      this.running.delete(worker);
    }
  }

  /** Ends what is running; its calls reject with `interrupted`. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.running].map((worker) => worker.terminate()));
  }
}
