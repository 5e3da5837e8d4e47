import type { TrainingQueue } from '../jobs/trainingQueue.ts';
import type { Store } from '../store/database.ts';
import type { BackgroundJobs } from '../jobs/backgroundJobs.ts';
import type { DataDirectory } from './dataDirectory.ts';
import type { Devices } from './devices.ts';
import type { EventBus } from './eventBus.ts';

/** What handlers work with. */
export interface Context {
  /** Of Switchyard. */
  readonly version: string;
  readonly directory: DataDirectory;
  readonly store: Store;
  readonly bus: EventBus;
  readonly queue: TrainingQueue;
  readonly jobs: BackgroundJobs;
  readonly devices: Devices;
}
