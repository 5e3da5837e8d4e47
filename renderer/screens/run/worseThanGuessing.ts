import type { Run } from '../../../core/contract/records.ts';

/** How far above guessing a loss must be to be worth a word, in nats. */
const margin = 0.5;

/** A loss that is worse than that of guessing, both in nats per token. */
export interface WorseThanGuessing {
  kind: 'validation' | 'training';
  loss: number;
  guessing: number;
}

/**
 * Whether a run has learnt less than nothing: its last loss is well above that of guessing all tokens
 * alike, ln V. Null where it is not, and during warm-up, when nothing is said yet.
 * @param vocabulary entries, V
 */
export function worseThanGuessing(run: Run, vocabulary: number): WorseThanGuessing | null {
  if (run.status === 'running' && run.step <= run.config.training.warmup) return null;
  const guessing = Math.log(vocabulary);
  const losses = [
    { kind: 'validation', loss: run.lastValidationLoss },
    { kind: 'training', loss: run.lastTrainLoss },
  ] as const;
  for (const { kind, loss } of losses)
    if (loss !== null && loss > guessing + margin) return { kind, loss, guessing };
  return null;
}
