import type { RunConfig } from './config.ts';
import type { ErrorRecord } from './errors.ts';

/** Backends by name, in the order in which the fastest available one is chosen. */
export const backendNames = ['webgpu', 'tensorflow', 'wasm', 'cpu', 'reference'] as const;
export type BackendName = (typeof backendNames)[number];

/** In what products are computed: single precision, or half with sums in single precision. */
export const precisions = ['f32', 'f16'] as const;
export type Precision = (typeof precisions)[number];

/** One line of `doctor`: a backend on this machine. */
export interface DeviceReport {
  backend: BackendName;
  available: boolean;
  /** For people: processor or card, library version. */
  device: string;
  /** Why it is absent and what would bring it, in one or two sentences; empty when available. */
  reason: string;
  /** Of `webgpu` where it is available; else null. */
  gpu: GpuReport | null;
}

/** What WebGPU says of the adapter that it chose. */
export interface GpuReport {
  /** The adapter's name, and its driver's name and version; the latter may be empty. */
  name: string;
  driver: string;
  /** Whether it is a program that imitates a GPU on the processor: never chosen by default. */
  software: boolean;
  /** Whether it has half precision, so that `training.precision` can be f16. */
  f16: boolean;
  /** Shapes [M, N, K] of the f16 products that its matrix units (tensor cores) do at once. */
  matrixUnits: [number, number, number][];
  /** Most bytes that a kernel can use of one tensor, and of one buffer. */
  bindingBytes: number;
  bufferBytes: number;
}

/** An imported text. All counts are exact. */
export interface Dataset {
  id: string;
  name: string;
  /** Where the text came from (an absolute path at import time; the file may be gone since). */
  source: string;
  sourceBytes: number;
  sourceSha256: string;
  /** As in the configuration: `byte`, `bpe:N` or `listops`. */
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
  'paused', // holds its device and memory, trains no further until it is resumed
  'stopped', // stopped by a person; can be resumed
  'interrupted', // its process died; can be resumed
  'failed', // ended by an error; can be resumed from its last good checkpoint
  'finished',
] as const;
export type RunStatus = (typeof runStatuses)[number];

/** Whether a process has the run in hand: it waits, trains or is paused. */
export function isActive(status: RunStatus): boolean {
  return status === 'queued' || status === 'running' || status === 'paused';
}

export interface Run {
  id: string;
  name: string;
  /** What a person sorts runs by; in the order given, each once. */
  tags: string[];
  /** A person's remarks; may be empty and may have several lines. */
  note: string;
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
  /** Share of validation examples classified rightly, in [0, 1]; null for language models. */
  lastAccuracy: number | null;
  /** The highest of all validations. */
  bestAccuracy: number | null;
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
  /** Mean cross-entropy in nats per token, or per example in classification. */
  loss: number;
  /** Share of examples classified rightly, in [0, 1]; null for language models. */
  accuracy: number | null;
  /** Predictions that the means are over. */
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

/** A line of a run's log. */
export type LogEntry = {
  runId: string;
  level: 'info' | 'warning' | 'error';
  message: string;
  /** ISO 8601, UTC. */
  time: string;
};

/**
 * A stretch of consecutive steps in a run's curve: a single step where the curve is at full
 * resolution, else several. Means are over the stretch; everything else is as of its last step.
 */
export interface CurvePoint {
  step: number;
  /** Steps in the stretch. */
  count: number;
  tokens: number;
  elapsedSeconds: number;
  /** Mean, lowest and highest training loss, in nats per token. */
  loss: number;
  lowest: number;
  highest: number;
  /** Mean. */
  gradientNorm: number;
  learningRate: number;
  /** Mean time of a step. */
  milliseconds: number;
  tensorBytes: number;
  rssBytes: number;
}

/** A validation with the place on every axis that its step has. */
export interface CurveValidation extends ValidationMetric {
  /** Training tokens and seconds of training up to the step. (`tokens` are those of the validation.) */
  trainedTokens: number;
  elapsedSeconds: number;
}

/** A run's history between two steps. */
export interface Curve {
  /** Recorded steps between the two. */
  steps: number;
  /** Whether points stand for several steps: then the curve is a summary, and a view of it says so. */
  summarised: boolean;
  points: CurvePoint[];
  validations: CurveValidation[];
}

/** The beginnings of both parts of a dataset, as text. */
export interface DatasetPreview {
  train: string;
  validation: string;
}

/** A file or folder that was exported and is still in the data directory's `exports/`. */
export interface ExportRecord {
  /** Its name in that folder. */
  name: string;
  /** Absolute path, for people. */
  path: string;
  bytes: number;
  /** Relative to `path`; of a single file, its own name. */
  files: { name: string; bytes: number }[];
  createdAt: string;
}

/** What takes space in the data directory, in bytes as the files report them. */
export interface DiskUsage {
  home: string;
  /** Free space of its file system. */
  free: number;
  database: number;
  logs: number;
  runs: { id: string; bytes: number }[];
  datasets: { id: string; bytes: number }[];
  exports: ExportRecord[];
}

/** Of one part on one sequence of T tokens: multiply-accumulates of a forward pass, and floats kept. */
export interface Cost {
  macs: number;
  floats: number;
}

/** What a layer consists of; the first four are attention. */
export const layerParts = [
  'projections',
  'attentionCore',
  'selection',
  'positions',
  'feedForward',
] as const;
export type LayerPart = (typeof layerParts)[number];

/** What parameters belong to: attention matrices have none, normalisations cost next to nothing. */
export const parameterParts = [
  'embedding',
  'projections',
  'selection',
  'positions',
  'feedForward',
  'normalisation',
  'output',
] as const;
export type ParameterPart = (typeof parameterParts)[number];

/**
 * Cost of a configuration, by the paper's accounting where it has one. A feed-forward's selection
 * counts as feed-forward.
 */
export interface Resources {
  parameters: Record<ParameterPart | 'total', number>;
  /** Of one layer, in which embedding and output have none. */
  layerParameters: Record<ParameterPart | 'total', number>;
  /** One layer, one sequence; `attention` is what the paper's tables print. */
  layer: Record<LayerPart | 'attention' | 'total', Cost>;
  /** All layers with embedding and output, one sequence. */
  model: Record<LayerPart | 'embedding' | 'output' | 'total', Cost>;
}

/** Families that can be matched with a baseline. */
export const matchFamilies = ['switchhead', 'switchall', 'moa'] as const;
export type MatchFamily = (typeof matchFamilies)[number];

/** A configuration made to cost what a baseline costs. */
export interface Match {
  config: RunConfig;
  resources: Resources;
  baseline: Resources;
  /** Ours minus the baseline's: parameters of the model, and attention MACs of one layer. */
  unmatched: { parameters: number; macs: number };
  /** How it was found, and what could not be met, in sentences. */
  notes: string[];
}
