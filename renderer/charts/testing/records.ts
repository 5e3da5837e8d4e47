/** Records for tests of what draws them. */
import type { CurvePoint, CurveValidation, Run } from '../../../core/contract/records.ts';
import { resolveConfig } from '../../../core/contract/resolveConfig.ts';

/** A finished run of 600 steps with 2,048 tokens each. */
export function run(name: string, changes: Partial<Run> = {}): Run {
  return {
    id: `r-${name}`,
    name,
    tags: [],
    note: '',
    status: 'finished',
    error: null,
    config: resolveConfig({}),
    datasetId: 'd-1',
    backend: 'wasm',
    device: 'a processor',
    createdAt: '2026-01-01T00:00:00.000Z',
    startedAt: null,
    endedAt: null,
    step: 600,
    tokens: 1_228_800,
    parameters: 857_088,
    macs: 121_600_000,
    attentionMacs: 12_600_000,
    attentionFloats: 327_680,
    lastTrainLoss: 1.6,
    lastValidationLoss: 1.74,
    bestValidationLoss: 1.73,
    bestStep: 500,
    millisecondsPerStep: 100,
    peakTensorBytes: 2 ** 27,
    peakRssBytes: 2 ** 29,
    ...changes,
  };
}

/** A single step at ten steps a second. */
export function point(step: number, loss: number): CurvePoint {
  return {
    step,
    count: 1,
    tokens: step * 2048,
    elapsedSeconds: step / 10,
    loss,
    lowest: loss,
    highest: loss,
    gradientNorm: 1,
    learningRate: 1e-3,
    milliseconds: 100,
    tensorBytes: 2 ** 20,
    rssBytes: 2 ** 24,
  };
}

/** Steps 1 to `steps`, each with the loss that the function gives. */
export function points(steps: number, loss: (step: number) => number): CurvePoint[] {
  return Array.from({ length: steps }, (_, i) => point(i + 1, loss(i + 1)));
}

/** As the core summarises: stretches of `size` steps. */
export function summary(steps: readonly CurvePoint[], size: number): CurvePoint[] {
  return Array.from({ length: Math.ceil(steps.length / size) }, (_, i) => {
    const stretch = steps.slice(i * size, (i + 1) * size);
    const losses = stretch.map(({ loss }) => loss);
    return {
      ...stretch[stretch.length - 1],
      count: stretch.length,
      loss: losses.reduce((a, b) => a + b) / losses.length,
      lowest: Math.min(...losses),
      highest: Math.max(...losses),
    };
  });
}

export function validation(step: number, loss: number): CurveValidation {
  return {
    ...{ step, loss, tokens: 1000, milliseconds: 10 },
    trainedTokens: step * 2048,
    elapsedSeconds: step / 10,
  };
}
