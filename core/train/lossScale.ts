/**
 * Dynamic loss scaling (Micikevicius et al. 2018, "Mixed Precision Training"): the loss is multiplied
 * before the backward pass, so that small gradients do not vanish in a short number format, and the
 * gradients are divided by the same afterwards. The scale is the largest at which they do not
 * overflow: it is tried to double it now and then, and halved when they do.
 *
 * A state machine of plain values: what comes next is a function of what was and of what happened.
 */
import type { TrainingConfig } from '../contract/config.ts';

export interface LossScale {
  /** What the loss is multiplied by. */
  readonly scale: number;
  /** Steps in a row since the scale last changed. */
  readonly goodSteps: number;
  /** Batches of the whole run that gave no step because their gradient overflowed. */
  readonly passedBy: number;
}

/** Steps in a row after which the scale is doubled. */
export const doubleAfter = 2000;

/** Whether a run scales its loss: left to us, it does where small gradients would vanish. */
export function scalesLoss({
  lossScaling,
  precision,
}: Pick<TrainingConfig, 'lossScaling' | 'precision'>): boolean {
  return lossScaling === 'automatic' ? precision === 'f16' : lossScaling === 'dynamic';
}

/** @param start the dynamic scale of the first step */
export function firstLossScale(
  training: Pick<TrainingConfig, 'lossScaling' | 'precision'>,
  start = 65_536,
): LossScale {
  return { scale: scalesLoss(training) ? start : 1, goodSteps: 0, passedBy: 0 };
}

/** After a batch whose gradients were finite, and which gave a step. */
export function afterStep({ scale, goodSteps, passedBy }: LossScale): LossScale {
  if (goodSteps + 1 === doubleAfter) return { scale: 2 * scale, goodSteps: 0, passedBy };
  return { scale, goodSteps: goodSteps + 1, passedBy };
}

/** After a batch whose gradients overflowed, and which is passed by. */
export function afterOverflow({ scale, passedBy }: LossScale): LossScale {
  return { scale: scale / 2, goodSteps: 0, passedBy: passedBy + 1 };
}
