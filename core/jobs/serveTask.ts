/** The worker's side of every worker: does its one task and says how it went. */
import { parentPort, workerData } from 'node:worker_threads';
import { SwitchyardError, toErrorRecord } from '../contract/errors.ts';
import type { WorkerKind, WorkerMessage, Workers } from './messages.ts';

/** Runs `work` on the task this worker was started with. Call it once, as the entry's last line. */
export async function serveTask<K extends WorkerKind>(
  _kind: K,
  work: (
    task: Workers[K]['task'],
    report: (progress: Workers[K]['progress']) => void,
  ) => Promise<Workers[K]['result']>,
): Promise<void> {
  const port = parentPort;
  if (port === null)
    throw new SwitchyardError('internal', 'A worker entry was started outside a worker thread.');
  const send = (message: WorkerMessage<K>): void => port.postMessage(message);
  try {
    const result = await work(workerData as Workers[K]['task'], (progress) =>
      send({ type: 'progress', progress }),
    );
    send({ type: 'done', result });
  } catch (error) {
    send({ type: 'failed', error: toErrorRecord(error) });
  }
}
