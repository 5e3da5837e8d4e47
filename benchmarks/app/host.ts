/** A server in this process over a core with runs that were never trained, some of which go on. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCore, type Core } from '../../core/api/openCore.ts';
import type { CoreEvent } from '../../core/contract/protocol.ts';
import { serveCore } from '../../core/server/listen.ts';
import { openStore } from '../../core/store/database.ts';
import { root } from '../../tests/browser/app.ts';
import { recordRuns, stepMetric, validateEvery, validation, type Planned } from './records.ts';

export interface Host {
  /** With its token. */
  url: string;
  core: Core;
  ids: readonly string[];
  /**
   * Lets all runs go on, each with so many steps a second, one event a step. What they do is recorded
   * as a trainer's is. Returns a function that ends it.
   */
  goOn: (eventsPerSecond: number) => () => void;
  close: () => Promise<void>;
}

/** Records the runs in a data directory of its own and serves it. */
export async function hostRuns(planned: readonly Planned[]): Promise<Host> {
  const home = mkdtempSync(join(tmpdir(), 'switchyard-benchmark-'));
  const ids = recordRuns(home, planned);
  const own = openCore({ home });
  const listeners = new Set<(event: CoreEvent) => void>();
  const core: Core = {
    ...own,
    subscribe: (listener) => {
      listeners.add(listener);
      const unsubscribe = own.subscribe(listener);
      return () => {
        unsubscribe();
        listeners.delete(listener);
      };
    },
  };
  const token = 'benchmark';
  const served = await serveCore({
    ...{
      core,
      token,
      port: 0,
      renderer: join(root, 'dist', 'renderer'),
    },
    ...{ instance: 'one', restarted: null, log: () => undefined },
  });
  return {
    url: `http://127.0.0.1:${served.port}/#token=${token}`,
    core,
    ids,
    goOn: (eventsPerSecond) => {
      const last = ids.map((_, i) => planned[i].steps);
      const tell = (event: CoreEvent): void => {
        for (const listener of listeners) listener(event);
      };
      return goOn(join(home, 'switchyard.db'), ids, last, eventsPerSecond, tell);
    },
    close: async () => {
      await own.close();
      await served.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function goOn(
  database: string,
  ids: readonly string[],
  last: number[],
  eventsPerSecond: number,
  tell: (event: CoreEvent) => void,
): () => void {
  const store = openStore(database);
  const began = performance.now();
  let done = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - began) / 1000) * eventsPerSecond);
    for (; done < due; done++)
      for (const [i, runId] of ids.entries()) {
        const step = ++last[i];
        const metric = stepMetric(step, i);
        const check = step % validateEvery === 0 ? [validation(step, i)] : [];
        store.metrics.append(runId, [metric], check);
        tell({ type: 'run-steps', runId, steps: [metric] });
        for (const each of check) {
          tell({ type: 'run-validation', runId, validation: each });
          // As after a checkpoint.
          tell({ type: 'run-changed', run: store.runs.get(runId) });
        }
      }
  }, 1000 / eventsPerSecond);
  return () => {
    clearInterval(timer);
    store.close();
  };
}
