import * as format from '../../../core/contract/format.ts';
import type { Run } from '../../../core/contract/records.ts';

/** How far above guessing a loss must be to be worth a word, in nats. */
const margin = 0.5;

/** Values of a ListOps expression. */
const classes = 10;

/** A loss that is worse than that of guessing, both in nats per prediction. */
export interface WorseThanGuessing {
  kind: 'validation' | 'training';
  loss: number;
  guessing: number;
  /** What is guessed among. */
  among: string;
}

/**
 * Whether a run has learnt less than nothing: its last loss is well above that of guessing all tokens
 * alike, ln V, or all classes. Null where it is not, and during warm-up, when nothing is said yet.
 * @param vocabulary entries, V
 */
export function worseThanGuessing(run: Run, vocabulary: number): WorseThanGuessing | null {
  if (run.status === 'running' && run.step <= run.config.training.warmup) return null;
  const classifies = run.config.model.task === 'classification';
  const choices = classifies ? classes : vocabulary;
  const guessing = Math.log(choices);
  const among = classifies
    ? `the ${classes} classes`
    : `the ${format.plural(vocabulary, 'token')} of the vocabulary`;
  const losses = [
    { kind: 'validation', loss: run.lastValidationLoss },
    { kind: 'training', loss: run.lastTrainLoss },
  ] as const;
  for (const { kind, loss } of losses)
    if (loss !== null && loss > guessing + margin) return { kind, loss, guessing, among };
  return null;
}
