/** How fast a run is and when it ends, from what it did last. */
import type { RunConfig } from './config.ts';

/** Steps over which the shown speed is the median. */
export const recentSteps = 50;

/** The middle value; the mean of the two middle ones for an even number; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length % 2 === 1) return sorted[middle] ?? NaN;
  return ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

/** Training tokens of one optimiser step. */
export function tokensPerStep({ model, training }: RunConfig): number {
  return model.context * training.batch * training.accumulate;
}

/**
 * Seconds until a run ends: its remaining steps and validations at their recent speed.
 * @param step the last one done
 * @param perStep milliseconds of a step, validation excluded
 * @param perValidation milliseconds of the last validation, or 0 if there was none yet
 */
export function secondsLeft(
  { training }: RunConfig,
  step: number,
  perStep: number,
  perValidation: number,
): number {
  const { steps, evaluateEvery } = training;
  const validations = Math.ceil(steps / evaluateEvery) - Math.floor(step / evaluateEvery);
  return ((steps - step) * perStep + validations * perValidation) / 1000;
}
