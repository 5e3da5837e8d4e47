/**
 * The core: everything a host can ask for, over one data directory. Hosts in the same process use
 * `client`; a server puts its own transport in front of `call` and `subscribe`.
 */
import { closestMatch } from 'leven';
import { SwitchyardError } from '../contract/errors.ts';
import {
  createClient,
  type AbortSignal,
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
import { diskHandlers } from './diskUsage.ts';
import { createEventBus } from './eventBus.ts';
import { followOthers } from './followOthers.ts';
import type { Handlers } from './handlers.ts';
import { recoverOrphans } from './recoverOrphans.ts';
import { settleRemovals } from './removal.ts';
import { resourceHandlers } from './resources.ts';
import { runHandlers } from './runs.ts';
import { sweepExports } from './sweepExports.ts';
import { sweepUploads } from './uploads.ts';
import { ownVersion } from './version.ts';

export interface CoreOptions {
  /** Data directory. Default: `SWITCHYARD_HOME`, else the platform's application-data folder. */
  home?: string;
  /** Whether to tell listeners also what other processes change in it. Default false. */
  followOthers?: boolean;
}

export interface Core extends Transport {
  /** The data directory's absolute path. */
  readonly home: string;
  /** Switchyard's own. */
  readonly version: string;
  readonly handlers: Handlers;
  /** Runs that this opening marked as interrupted, and what they were before. */
  readonly recovered: readonly { id: string; was: 'queued' | 'running' | 'paused' }[];
  /** For hosts in this process. */
  readonly client: Client;
  subscribe(listener: (event: CoreEvent) => void): () => void;
  /** Lets running runs write a checkpoint, records them as stopped, and closes the database. */
  close(): Promise<void>;
}

/** Opens the data directory and marks as interrupted what a process that died had left running. */
export function openCore({ home, followOthers: follow = false }: CoreOptions = {}): Core {
  const directory = openDataDirectory(home);
  const store = openStore(directory.database);
  const bus = createEventBus();
  const queue = new TrainingQueue();
  const jobs = new BackgroundJobs();
  const devices = createDevices();
  const version = ownVersion();
  const context: Context = { version, directory, store, bus, queue, jobs, devices };
  const recovered = recoverOrphans(context).map(({ run, was }) => ({ id: run.id, was }));
  sweep(context);
  const stopFollowing = follow ? followOthers(context) : () => undefined;

  const handlers: Handlers = {
    ...deviceHandlers(context),
    ...datasetHandlers(context),
    ...resourceHandlers(),
    ...runHandlers(context),
    ...diskHandlers(context),
  };
  const transport: Transport = {
    call: (method, input, signal) => callHandler(handlers, method, input, signal),
    subscribe: (listener) => bus.subscribe(listener),
  };
  let closing: Promise<void> | undefined;
  return {
    ...transport,
    home: directory.home,
    version,
    recovered,
    handlers,
    client: createClient(transport),
    close: () =>
      (closing ??= (async () => {
        await Promise.all([queue.stopAll(), jobs.close()]);
        stopFollowing();
        store.close();
      })()),
  };
}

/** `method` and `input` come from outside and may be anything; every handler checks its input. */
async function callHandler(
  handlers: Handlers,
  method: MethodName,
  input: unknown,
  signal?: AbortSignal,
): Promise<unknown> {
  if (!Object.hasOwn(handlers, method)) {
    const nearest = closestMatch(method, Object.keys(handlers));
    const hint = nearest === undefined ? '' : ` The nearest known one is "${nearest}".`;
    throw new SwitchyardError('invalid-argument', `There is no method "${method}".${hint}`);
  }
  const handle = handlers[method] as (input: unknown, signal?: AbortSignal) => Promise<unknown>;
  return handle(input, signal);
}

/** Clears away what processes that died had not finished clearing away. */
function sweep({ directory, store }: Context): void {
  const runs = new Set(store.runs.list().map(({ id }) => id));
  const datasets = new Set(store.datasets.list().map(({ id }) => id));
  for (const clear of [
    () => settleRemovals(directory.runs, (id) => runs.has(id)),
    () => settleRemovals(directory.datasets, (id) => datasets.has(id)),
    () => sweepUploads(directory),
    () => sweepExports(directory),
  ])
    try {
      clear();
    } catch {
      // What cannot be cleared away now is in nobody's way until the next opening.
    }
}
