/**
 * The core: everything a host can ask for, over one data directory. Hosts in the same process use
 * `client`; a server puts its own transport in front of `call` and `subscribe`.
 */
import { closestMatch } from 'leven';
import { SwitchyardError } from '../contract/errors.ts';
import {
  createClient,
  type Client,
  type CoreEvent,
  type MethodName,
  type Transport,
} from '../contract/protocol.ts';
import { BackgroundJobs } from '../jobs/backgroundJobs.ts';
import { TrainingQueue } from '../jobs/trainingQueue.ts';
import { openStore } from '../store/database.ts';
import type { Context } from './context.ts';
import { openDataDirectory } from './dataDirectory.ts';
import { datasetHandlers } from './datasets.ts';
import { createDevices, deviceHandlers } from './devices.ts';
import { createEventBus } from './eventBus.ts';
import type { Handlers } from './handlers.ts';
import { reconcileCheckpoints } from './reconcileCheckpoints.ts';
import { resourceHandlers } from './resources.ts';
import { logRun } from './runJournal.ts';
import { runHandlers } from './runs.ts';

export interface CoreOptions {
  /** Data directory. Default: `SWITCHYARD_HOME`, else the platform's application-data folder. */
  home?: string;
}

export interface Core extends Transport {
  /** The data directory's absolute path. */
  readonly home: string;
  readonly handlers: Handlers;
  /** For hosts in this process. */
  readonly client: Client;
  subscribe(listener: (event: CoreEvent) => void): () => void;
  /** Lets running runs write a checkpoint, records them as stopped, and closes the database. */
  close(): Promise<void>;
}

/** Opens the data directory and marks as interrupted what a process that died had left running. */
export function openCore({ home }: CoreOptions = {}): Core {
  const directory = openDataDirectory(home);
  const store = openStore(directory.database);
  const bus = createEventBus();
  const queue = new TrainingQueue();
  const jobs = new BackgroundJobs();
  const devices = createDevices();
  const context: Context = { directory, store, bus, queue, jobs, devices };
  recoverOrphans(context);

  const handlers: Handlers = {
    ...deviceHandlers(context),
    ...datasetHandlers(context),
    ...resourceHandlers(),
    ...runHandlers(context),
  };
  const transport: Transport = {
    call: (method, input) => callHandler(handlers, method, input),
    subscribe: (listener) => bus.subscribe(listener),
  };
  let closing: Promise<void> | undefined;
  return {
    ...transport,
    home: directory.home,
    handlers,
    client: createClient(transport),
    close: () =>
      (closing ??= (async () => {
        await Promise.all([queue.stopAll(), jobs.close()]);
        store.close();
      })()),
  };
}

/** `method` and `input` come from outside and may be anything; every handler checks its input. */
async function callHandler(
  handlers: Handlers,
  method: MethodName,
  input: unknown,
): Promise<unknown> {
  if (!Object.hasOwn(handlers, method)) {
    const nearest = closestMatch(method, Object.keys(handlers));
    const hint = nearest === undefined ? '' : ` The nearest known one is "${nearest}".`;
    throw new SwitchyardError('invalid-argument', `There is no method "${method}".${hint}`);
  }
  const handle = handlers[method] as (input: unknown) => Promise<unknown>;
  return handle(input);
}

function recoverOrphans(context: Context): void {
  for (const run of context.store.runs.recoverOrphans()) {
    reconcileCheckpoints(context, run.id, run.step);
    logRun(
      context,
      run.id,
      'warning',
      `The process that had this run in hand ended unexpectedly after step ${run.step}. Resuming goes on from its last checkpoint.`,
    );
  }
}
