/** The core's side of every worker: starts it, listens, and turns whatever happens into one promise. */
import { Worker } from 'node:worker_threads';
import { fromErrorRecord, SwitchyardError } from '../contract/errors.ts';
import type { WorkerKind, WorkerMessage, Workers } from './messages.ts';

export interface RunningWorker<K extends WorkerKind> {
  /** Settles once the thread is gone, and its memory and device with it. Rejects with a `SwitchyardError`. */
  readonly result: Promise<Workers[K]['result']>;
  /** Ends the thread at once; `result` rejects with `interrupted` if it had not finished. */
  terminate(): Promise<void>;
}

/** What people call the threads. */
const names: Record<WorkerKind, string> = {
  trainer: 'training',
  importer: 'import',
  generator: 'generating',
  sampler: 'sampling',
  exporter: 'export',
};

/**
 * @param onProgress must not throw
 * @param entry for tests: another file than `<kind>.worker.ts`
 */
export function startWorker<K extends WorkerKind>(
  kind: K,
  task: Workers[K]['task'],
  onProgress: (progress: Workers[K]['progress']) => void,
  entry = new URL(`./${kind}.worker.ts`, import.meta.url),
): RunningWorker<K> {
  // TensorFlow's own chatter on stderr: its library reads the process's environment, which a worker
  // cannot change.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  // Without resourceLimits: V8's own limit for a thread would end it, and tensors are not on that heap.
  const worker = new Worker(entry, {
    name: kind,
    workerData: task,
    stdout: true,
  });
  // Our stdout may carry `--json` lines for a program; a library's chatter goes to stderr.
  worker.stdout.on('data', (chunk: Buffer) => process.stderr.write(chunk));

  let terminated = false;
  const result = new Promise<Workers[K]['result']>((resolve, reject) => {
    let settle: (() => void) | undefined;
    worker.on('message', (message: WorkerMessage<K>) => {
      if (message.type === 'progress') {
        onProgress(message.progress);
        return;
      }
      settle ??=
        message.type === 'done'
          ? () => resolve(message.result)
          : () => reject(fromErrorRecord(message.error));
      // Libraries may keep timers or threads of their own, which would keep this one alive.
      void worker.terminate();
    });
    worker.on('error', (error: unknown) => {
      settle ??= () => reject(crashed(kind, error));
    });
    worker.on('exit', (code) => {
      if (settle !== undefined) settle();
      else reject(terminated ? endedEarly(kind) : vanished(kind, code));
    });
  });
  return {
    result,
    terminate: async () => {
      terminated = true;
      await worker.terminate();
    },
  };
}

function crashed(kind: WorkerKind, error: unknown): SwitchyardError {
  const detail = error instanceof Error ? error.message : String(error);
  const outOfMemory =
    error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
  return new SwitchyardError(
    'internal',
    outOfMemory
      ? `The ${names[kind]} thread ran out of memory (${detail}). A smaller batch or model needs less.`
      : `The ${names[kind]} thread failed: ${detail}`,
    { cause: error },
  );
}

function vanished(kind: WorkerKind, code: number): SwitchyardError {
  return new SwitchyardError(
    'internal',
    `The ${names[kind]} thread ended with exit code ${code} before it was done and did not say why.`,
  );
}

function endedEarly(kind: WorkerKind): SwitchyardError {
  return new SwitchyardError('interrupted', `The ${names[kind]} was ended before it was done.`);
}
