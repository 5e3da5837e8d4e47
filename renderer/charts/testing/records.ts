/** Records for tests of what draws them. */
import type { CurvePoint, CurveValidation } from '../../../core/contract/records.ts';

export { finishedRun as run } from '../../../core/contract/testing/runRecord.ts';

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
    ...{ step, loss, accuracy: null, tokens: 1000, milliseconds: 10 },
    trainedTokens: step * 2048,
    elapsedSeconds: step / 10,
  };
}
