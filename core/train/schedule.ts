import type { TrainingConfig } from '../contract/config.ts';

/**
 * Learning rate of an optimiser step, counted from 1: linear warm-up to the peak, then a cosine from
 * there to `finalLearningRateShare` of the peak at the last step.
 */
export function learningRateAt(step: number, training: TrainingConfig): number {
  const { learningRate, warmup, steps, finalLearningRateShare } = training;
  if (step <= warmup) return (learningRate * step) / warmup;
  const progress = (step - warmup) / (steps - warmup);
  const cosine = (1 + Math.cos(Math.PI * progress)) / 2;
  return learningRate * (finalLearningRateShare + (1 - finalLearningRateShare) * cosine);
}
