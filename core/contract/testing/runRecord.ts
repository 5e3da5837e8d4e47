/** Records of runs for tests, whole and valid. */
import type { Run } from '../records.ts';
import { resolveConfig } from '../resolveConfig.ts';

/** A run that has just been created. */
export function freshRun(changes: Partial<Run> = {}): Run {
  return {
    id: 'r-1',
    name: 'first',
    tags: [],
    note: '',
    status: 'queued',
    error: null,
    config: resolveConfig({}),
    datasetId: 'd-1',
    backend: 'cpu',
    device: null,
    createdAt: '2026-01-01T00:00:00.000Z',
    startedAt: null,
    endedAt: null,
    step: 0,
    tokens: 0,
    parameters: 857_088,
    macs: 121_600_000,
    attentionMacs: 12_600_000,
    attentionFloats: 327_680,
    lastTrainLoss: null,
    lastValidationLoss: null,
    bestValidationLoss: null,
    bestStep: null,
    lastAccuracy: null,
    bestAccuracy: null,
    millisecondsPerStep: null,
    peakTensorBytes: null,
    peakRssBytes: null,
    ...changes,
  };
}

/** A finished run of 600 steps with 2,048 tokens each. */
export function finishedRun(name: string, changes: Partial<Run> = {}): Run {
  return freshRun({
    id: `r-${name}`,
    name,
    status: 'finished',
    backend: 'wasm',
    device: 'a processor',
    step: 600,
    tokens: 1_228_800,
    lastTrainLoss: 1.6,
    lastValidationLoss: 1.74,
    bestValidationLoss: 1.73,
    bestStep: 500,
    millisecondsPerStep: 100,
    peakTensorBytes: 2 ** 27,
    peakRssBytes: 2 ** 29,
    ...changes,
  });
}
