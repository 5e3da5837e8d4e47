/** A run as the core tells of it. */
import type { Run } from '../../core/contract/records.ts';
import { resolveConfig } from '../../core/contract/resolveConfig.ts';

export function fakeRun(changes: Partial<Run>): Run {
  return {
    id: 'r-1',
    name: 'first',
    tags: [],
    note: '',
    status: 'running',
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
    parameters: 1,
    macs: 1,
    attentionMacs: 1,
    attentionFloats: 1,
    lastTrainLoss: null,
    lastValidationLoss: null,
    bestValidationLoss: null,
    bestStep: null,
    millisecondsPerStep: null,
    peakTensorBytes: null,
    peakRssBytes: null,
    ...changes,
  };
}
