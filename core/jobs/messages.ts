/**
 * What goes into a worker thread and what comes out of it, for every kind of worker. The task
 * travels as the worker's `workerData`; the only thing that reaches a worker later is a trainer's
 * control word, shared memory, because the work blocks the worker's event loop.
 */
import type { ModelConfig, RunConfig } from '../contract/config.ts';
import type { ListopsOptions } from '../contract/listops.ts';
import type { ErrorRecord } from '../contract/errors.ts';
import type { BackendName, Precision } from '../contract/records.ts';
import type { DatasetFacts, ImportProgress } from '../data/importText.ts';
import type { ExportOptions, ExportResult } from '../export/safetensors.ts';
import type { TrainEvent, TrainResult } from '../train/events.ts';

/** What the core asks of a trainer, after its next step: to train, to checkpoint and end, to checkpoint and wait. */
export const trainerControl = { goOn: 0, stop: 1, pause: 2 } as const;

export interface TrainerTask {
  config: RunConfig;
  vocabulary: number;
  /** Folder with the token files. */
  dataset: string;
  trainTokens: number;
  validationTokens: number;
  backend: BackendName;
  /** Folder of the run's checkpoints. */
  checkpoints: string;
  /** Whether to go on from the newest intact checkpoint in that folder. */
  resume: boolean;
  /** One Int32, a value of `trainerControl`; the core changes and notifies it. */
  control: SharedArrayBuffer;
}

export type { DatasetFacts };

export interface ImporterTask {
  path: string;
  datasetsFolder: string;
  id: string;
  tokenizer: string;
  validationShare: number;
  /** What is recorded as its source; default: the path. */
  source?: string;
  /** Earlier imports in this form: if the text is one of them, it is not imported again. */
  known: readonly { id: string; bytes: number; sha256: string }[];
}

export interface GeneratorTask {
  /** The file to write. */
  path: string;
  options: ListopsOptions;
}

export type ImporterResult =
  { kind: 'imported'; facts: DatasetFacts } | { kind: 'known'; id: string };

export interface SamplerTask {
  backend: BackendName;
  precision: Precision;
  model: ModelConfig;
  vocabulary: number;
  /** Folder of the run's checkpoints, and the name of the one to use. */
  checkpoints: string;
  folder: string;
  /** Folder with the dataset's tokenizer. */
  dataset: string;
  tokenizer: string;
  prompt: string;
  tokens: number;
  temperature: number;
  topK: number;
  seed: number;
}

export interface SamplerResult {
  text: string;
  tokens: number;
  /** Of the generation alone, without loading. */
  milliseconds: number;
}

/** Each kind of worker; its entry is `<kind>.worker.ts`. */
export interface Workers {
  trainer: { task: TrainerTask; progress: TrainEvent; result: TrainResult };
  importer: { task: ImporterTask; progress: ImportProgress; result: ImporterResult };
  generator: { task: GeneratorTask; progress: never; result: null };
  /** Progress is the text as it appears. */
  sampler: { task: SamplerTask; progress: string; result: SamplerResult };
  exporter: { task: ExportOptions; progress: never; result: ExportResult };
}
export type WorkerKind = keyof Workers;

/** Everything a worker says. `done` or `failed` is the last message. */
export type WorkerMessage<K extends WorkerKind> =
  | { type: 'progress'; progress: Workers[K]['progress'] }
  | { type: 'done'; result: Workers[K]['result'] }
  | { type: 'failed'; error: ErrorRecord };
