import type { PartialConfig } from './config.ts';
import type {
  BackendName,
  Checkpoint,
  Dataset,
  DeviceReport,
  Resources,
  Run,
  StepMetric,
  ValidationMetric,
} from './records.ts';

/** Every call a host can make, by name: what goes in, what comes back. Errors are `SwitchyardError`s. */
export interface Methods {
  'devices.list': { input: Record<string, never>; output: DeviceReport[] };
  /** Imports a UTF-8 text file; an identical earlier import (same content, tokenizer, split) is returned instead. */
  'datasets.import': {
    input: { path: string; name?: string; tokenizer?: string; validationShare?: number };
    output: Dataset;
  };
  'datasets.list': { input: Record<string, never>; output: Dataset[] };
  /** `dataset`: an id, a unique prefix of one, or a name. */
  'datasets.get': { input: { dataset: string }; output: Dataset };
  'resources.compute': {
    input: { config: PartialConfig; vocabulary: number };
    output: Resources;
  };
  /** Creates a run and queues it for its device. */
  'runs.create': {
    input: { config: PartialConfig; dataset: string; backend?: BackendName; name?: string };
    output: Run;
  };
  /** Queues a run again from its last checkpoint; metrics after that step are removed first. */
  'runs.resume': { input: { run: string }; output: Run };
  /** Asks a queued or running run to checkpoint and end; returns once it has. */
  'runs.stop': { input: { run: string }; output: Run };
  'runs.list': { input: Record<string, never>; output: Run[] };
  /** `run`: an id, a unique prefix of one, or a name. */
  'runs.get': { input: { run: string }; output: Run };
  'runs.metrics': {
    input: { run: string; fromStep?: number };
    output: { steps: StepMetric[]; validations: ValidationMetric[] };
  };
  'runs.checkpoints': { input: { run: string }; output: Checkpoint[] };
  /** Continues `prompt` with the run's best (or last) checkpoint. */
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
  'runs.export': {
    input: { run: string; format: 'safetensors'; out: string; checkpoint?: 'best' | 'last' };
    output: { folder: string; files: string[]; step: number };
  };
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
  | { type: 'run-changed'; run: Run }
  | { type: 'run-steps'; runId: string; steps: StepMetric[] }
  | { type: 'run-validation'; runId: string; validation: ValidationMetric }
  | { type: 'run-checkpoint'; checkpoint: Checkpoint }
  | {
      type: 'run-log';
      runId: string;
      level: 'info' | 'warning' | 'error';
      message: string;
      time: string;
    }
  | { type: 'sample-token'; runId: string; text: string };

/** How a client reaches a core: in the same process, or over a socket. */
export interface Transport {
  call(method: MethodName, input: unknown): Promise<unknown>;
  /** Returns a function that ends the subscription. */
  subscribe(listener: (event: CoreEvent) => void): () => void;
}

export interface Client {
  call<M extends MethodName>(method: M, input: Input<M>): Promise<Output<M>>;
  subscribe(listener: (event: CoreEvent) => void): () => void;
}

/** A typed client over any transport. */
export function createClient(transport: Transport): Client {
  return {
    call: async <M extends MethodName>(method: M, input: Input<M>) =>
      (await transport.call(method, input)) as Output<M>,
    subscribe: (listener) => transport.subscribe(listener),
  };
}
