import type { PartialConfig } from './config.ts';
import type { ListopsOptions } from './listops.ts';
import type {
  BackendName,
  Checkpoint,
  Curve,
  Dataset,
  DatasetPreview,
  DeviceReport,
  DiskUsage,
  LogEntry,
  Match,
  MatchFamily,
  Resources,
  Run,
  StepMetric,
  ValidationMetric,
} from './records.ts';

/** Every call a host can make, by name: what goes in, what comes back. Errors are `SwitchyardError`s. */
export interface Methods {
  /** Looked for once and remembered; `again` looks anew. */
  'devices.list': { input: { again?: boolean }; output: DeviceReport[] };
  /**
   * Imports a UTF-8 text file: one on this machine (`path`), or one that was uploaded (`upload`, the
   * name the server gave it; it is deleted afterwards). An identical earlier import (same content,
   * tokenizer, split) is returned instead. Can be cancelled.
   */
  'datasets.import': {
    input: {
      path?: string;
      upload?: string;
      name?: string;
      tokenizer?: string;
      validationShare?: number;
    };
    output: Dataset;
  };
  'datasets.list': { input: Record<string, never>; output: Dataset[] };
  /**
   * Makes ListOps expressions with their values (Nangia & Bowman 2018) and imports them. What is left
   * out is as in the published data.
   */
  'datasets.generateListops': {
    input: { name?: string; validationShare?: number } & Partial<ListopsOptions>;
    output: Dataset;
  };
  /** `dataset`: an id, a unique prefix of one, or a name. */
  'datasets.get': { input: { dataset: string }; output: Dataset };
  /** The first `characters` (default 2,000) of the training and of the validation part. */
  'datasets.preview': { input: { dataset: string; characters?: number }; output: DatasetPreview };
  'datasets.rename': { input: { dataset: string; name: string }; output: Dataset };
  /** Deletes a dataset that no run uses; `bytes` were freed. */
  'datasets.remove': { input: { dataset: string }; output: { bytes: number } };
  'resources.compute': {
    input: { config: PartialConfig; vocabulary: number };
    output: Resources;
  };
  /**
   * A SwitchHead, SwitchAll or MoA that has the parameters, or the attention MACs, of a baseline. The
   * search starts at `heads`, `experts` and `activeExperts`; what is left out is as in the paper.
   */
  'models.match': {
    input: {
      baseline: PartialConfig;
      vocabulary: number;
      family: MatchFamily;
      by: 'parameters' | 'macs';
      heads?: number;
      experts?: number;
      activeExperts?: number;
    };
    output: Match;
  };
  /** Creates a run and queues it for its device. */
  'runs.create': {
    input: { config: PartialConfig; dataset: string; backend?: BackendName; name?: string };
    output: Run;
  };
  /**
   * Lets a paused run go on; queues any other unfinished one again from its last checkpoint, and
   * removes the metrics after that step first.
   */
  'runs.resume': { input: { run: string }; output: Run };
  /** Asks a running run to write a checkpoint and wait; returns once it does. */
  'runs.pause': { input: { run: string }; output: Run };
  /** Asks a queued, running or paused run to checkpoint and end; returns once it has. */
  'runs.stop': { input: { run: string }; output: Run };
  /** Changes what people call a run; what is left out stays. */
  'runs.update': {
    input: { run: string; name?: string; tags?: string[]; note?: string };
    output: Run;
  };
  /** Deletes a run that is not active, with its history and checkpoints; `bytes` were freed. */
  'runs.remove': { input: { run: string }; output: { bytes: number } };
  'runs.list': { input: Record<string, never>; output: Run[] };
  /** `run`: an id, a unique prefix of one, or a name. */
  'runs.get': { input: { run: string }; output: Run };
  'runs.metrics': {
    input: { run: string; fromStep?: number };
    output: { steps: StepMetric[]; validations: ValidationMetric[] };
  };
  /**
   * A run's history for drawing, from `fromStep` to `toStep` (inclusive; default: all of it), in at
   * most `points` (default 2,000) stretches of equally many steps.
   */
  'runs.curve': {
    input: { run: string; fromStep?: number; toStep?: number; points?: number };
    output: Curve;
  };
  /** The latest `limit` lines (default 1,000), oldest first. */
  'runs.log': { input: { run: string; limit?: number }; output: LogEntry[] };
  'runs.checkpoints': { input: { run: string }; output: Checkpoint[] };
  /**
   * Deletes the checkpoints of these steps; `bytes` were freed. Refused while the run is active, and
   * for the last checkpoint of an unfinished run, which resuming needs.
   */
  'runs.removeCheckpoints': { input: { run: string; steps: number[] }; output: { bytes: number } };
  /** Continues `prompt` with the run's best (or last) checkpoint. Can be cancelled. */
  'runs.sample': {
    input: {
      run: string;
      prompt: string;
      tokens?: number;
      temperature?: number;
      topK?: number;
      seed?: number;
      checkpoint?: 'best' | 'last';
    };
    output: { text: string; step: number; tokens: number; milliseconds: number };
  };
  /** Writes a checkpoint to the new folder `out`, by default one in the data directory's `exports/`. */
  'runs.export': {
    input: { run: string; format: 'safetensors'; out?: string; checkpoint?: 'best' | 'last' };
    output: { folder: string; files: string[]; step: number };
  };
  /**
   * Writes every recorded step and validation of the runs, at full resolution, to the new CSV file
   * `out`, by default one in the data directory's `exports/`.
   */
  'runs.exportPoints': {
    input: { runs: string[]; out?: string };
    output: { file: string; rows: number; bytes: number };
  };
  'exports.remove': { input: { name: string }; output: { bytes: number } };
  'disk.usage': { input: Record<string, never>; output: DiskUsage };
}
export type MethodName = keyof Methods;
export type Input<M extends MethodName> = Methods[M]['input'];
export type Output<M extends MethodName> = Methods[M]['output'];

/** Everything the core tells its hosts without being asked. */
export type CoreEvent =
  | {
      type: 'import-progress';
      path: string;
      stage: 'reading' | 'training' | 'encoding';
      done: number;
      total: number;
    }
  /** However the import of that path ended. */
  | { type: 'import-ended'; path: string }
  /** Added, renamed, or its files restored. */
  | { type: 'dataset-changed'; dataset: Dataset }
  | { type: 'dataset-removed'; datasetId: string }
  | { type: 'run-changed'; run: Run }
  | { type: 'run-removed'; runId: string }
  /** Metrics and checkpoints later than `step` are gone: the run goes on from there. */
  | { type: 'run-rewound'; runId: string; step: number }
  | { type: 'run-steps'; runId: string; steps: StepMetric[] }
  | { type: 'run-validation'; runId: string; validation: ValidationMetric }
  | { type: 'run-checkpoint'; checkpoint: Checkpoint }
  | { type: 'run-checkpoints-removed'; runId: string; steps: number[] }
  | ({ type: 'run-log' } & LogEntry)
  | { type: 'sample-token'; runId: string; text: string };

/** How a client reaches a core: in the same process, or over a socket. */
export interface Transport {
  /** Where a method can be cancelled, aborting `signal` does so; its call then rejects with `interrupted`. */
  call(method: MethodName, input: unknown, signal?: AbortSignal): Promise<unknown>;
  /** Returns a function that ends the subscription. */
  subscribe(listener: (event: CoreEvent) => void): () => void;
}

/** The part of the platform's `AbortSignal` that calls need. */
export interface AbortSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export interface Client {
  call<M extends MethodName>(method: M, input: Input<M>, signal?: AbortSignal): Promise<Output<M>>;
  subscribe(listener: (event: CoreEvent) => void): () => void;
}

/** A typed client over any transport. */
export function createClient(transport: Transport): Client {
  return {
    call: async <M extends MethodName>(method: M, input: Input<M>, signal?: AbortSignal) =>
      (await transport.call(method, input, signal)) as Output<M>,
    subscribe: (listener) => transport.subscribe(listener),
  };
}
