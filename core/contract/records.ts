import type { RunConfig } from './config.ts';
import type { ErrorRecord } from './errors.ts';

/** Backends by name, in the order in which the fastest available one is chosen. */
export const backendNames = ['tensorflow', 'wasm', 'cpu', 'reference'] as const;
export type BackendName = (typeof backendNames)[number];

/** One line of `doctor`: a backend on this machine. */
export interface DeviceReport {
  backend: BackendName;
  available: boolean;
  /** For people: processor or card, library version. */
  device: string;
  /** Why it is absent and what would bring it, in one or two sentences; empty when available. */
  reason: string;
}

/** An imported text. All counts are exact. */
export interface Dataset {
  id: string;
  name: string;
  /** Where the text came from (an absolute path at import time; the file may be gone since). */
  source: string;
  sourceBytes: number;
  sourceSha256: string;
  /** As in the configuration: `byte` or `bpe:N`. */
  tokenizer: string;
  /** Entries actually in the vocabulary: a small text may not fill the N of `bpe:N`. */
  vocabulary: number;
  validationShare: number;
  trainTokens: number;
  validationTokens: number;
  createdAt: string;
}

export const runStatuses = [
  'queued', // waits for its device
  'running',
  'stopped', // stopped by a person; can be resumed
  'interrupted', // its process died; can be resumed
  'failed', // ended by an error; can be resumed from its last good checkpoint
  'finished',
] as const;
export type RunStatus = (typeof runStatuses)[number];

export interface Run {
  id: string;
  name: string;
  status: RunStatus;
  /** Set when status is `failed`. */
  error: ErrorRecord | null;
  config: RunConfig;
  datasetId: string;
  backend: BackendName;
  /** Device description, known once it has started. */
  device: string | null;
  createdAt: string;
  startedAt: string | null;
  endedAt: string | null;
  /** Optimiser steps completed and recorded. */
  step: number;
  /** Training tokens seen up to `step`. */
  tokens: number;
  /** Trainable parameters. */
  parameters: number;
  /** Multiply-accumulates of one forward pass over one sequence of T tokens, whole model. */
  macs: number;
  /** Attention MACs of one layer for one sequence, as the paper's tables print them. */
  attentionMacs: number;
  /** Attention memory of one layer for one sequence in floats, as the paper's tables print it. */
  attentionFloats: number;
  lastTrainLoss: number | null;
  lastValidationLoss: number | null;
  bestValidationLoss: number | null;
  bestStep: number | null;
  /** Median over the recorded training steps, in milliseconds, validation and checkpoints excluded. */
  millisecondsPerStep: number | null;
  /** Highest number of bytes that the executor reported for its tensors. */
  peakTensorBytes: number | null;
  /** Highest resident set size of the process, in bytes. */
  peakRssBytes: number | null;
}

/** One optimiser step. Losses in nats per token. */
export interface StepMetric {
  step: number;
  loss: number;
  gradientNorm: number;
  learningRate: number;
  /** Wall time of the step itself. */
  milliseconds: number;
  /** Training tokens seen up to and including this step. */
  tokens: number;
  /** Executor-reported peak so far. */
  tensorBytes: number;
  rssBytes: number;
  /** Seconds of training so far, summed over resumes. */
  elapsedSeconds: number;
}

export interface ValidationMetric {
  step: number;
  /** Mean cross-entropy in nats per token. */
  loss: number;
  tokens: number;
  milliseconds: number;
}

export interface Checkpoint {
  runId: string;
  step: number;
  /** Folder name under the run's `checkpoints/`. */
  folder: string;
  bytes: number;
  validationLoss: number | null;
  best: boolean;
  createdAt: string;
}

/** Cost of a configuration. MACs are multiply-accumulates for one sequence of T tokens. */
export interface Resources {
  parameters: {
    embedding: number;
    attention: number;
    feedForward: number;
    normalisation: number;
    output: number;
    total: number;
  };
  /** Paper accounting, one layer, one sequence: attention MACs, and memory in floats. */
  attentionLayer: { macs: number; floats: number };
  /** One feed-forward layer, one sequence, selection included. */
  feedForwardLayer: { macs: number };
  /** One forward pass of the whole model over one sequence, output layer included. */
  model: { macs: number };
}
