import type { Program } from '../graph/executor.ts';
import type { Inputs, ValidationInputs } from './batchSource.ts';

export interface Evaluation {
  /** Mean cross-entropy of the predictions that count, in nats. */
  loss: number;
  /** Share of examples classified rightly, in [0, 1]; null for language models. */
  accuracy: number | null;
  /** Predictions that the means are over. */
  predictions: number;
}

/**
 * Evaluates batches in their order: every prediction that counts, exactly once, summed in float64.
 * @param program an evaluation plan; its memory, if it has one, goes on from batch to batch
 */
export async function evaluate(
  program: Program,
  batches: Iterable<ValidationInputs>,
): Promise<Evaluation> {
  const classifies = program.plan.outputs.has('logits');
  let sum = 0;
  let right = 0;
  let predictions = 0;
  for (const { inputs, counted } of batches) {
    const { losses, logits } = await program.run({ inputs, uniforms: {} }); // [B, T] or [B]
    const width = losses.length / counted.length;
    for (let row = 0; row < counted.length; row++) {
      for (let i = 0; i < counted[row]; i++) sum += losses[row * width + i];
      if (classifies && counted[row] > 0 && isRight(logits, inputs, row)) right++;
      predictions += counted[row];
    }
  }
  return {
    loss: sum / predictions,
    accuracy: classifies ? right / predictions : null,
    predictions,
  };
}

/** Whether a row of logits [B, C] is largest at its target; of equal ones the first counts. */
function isRight(logits: ArrayLike<number>, { targets }: Inputs, row: number): boolean {
  const classes = logits.length / targets.length;
  const first = row * classes;
  let best = first;
  for (let i = first; i < first + classes; i++) if (logits[i] > logits[best]) best = i;
  return best - first === targets[row];
}
