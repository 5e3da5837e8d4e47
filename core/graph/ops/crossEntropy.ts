import type { Op, Tensor } from '../graph.ts';
import { f32, last, lead, requireShape, requireType, sameShape, show } from '../shapes.ts';
import { crossEntropyGrad } from './crossEntropyGrad.ts';

/**
 * Cross-entropy in nats of every row: logits [..., V], targets [...] of i32 in [0, V) →
 * losses [...], and the log-sum-exp [...] of the logits for the backward pass.
 */
export const crossEntropyOp: Op<null> = {
  name: 'crossEntropy',
  infer([logits, targets]) {
    requireType(targets, 'i32', 'crossEntropy', 'targets');
    requireShape(
      sameShape(lead(logits.shape), targets.shape),
      'crossEntropy',
      `logits ${show(logits)} and targets ${show(targets)} do not fit.`,
    );
    return [f32(...targets.shape), f32(...targets.shape)];
  },
  backward({ inputs: [logits, targets], outputs: [, lse] }, [dLosses]) {
    return [dLosses === undefined ? undefined : crossEntropyGrad(logits, targets, lse, dLosses)];
  },
  reference([logits, targets], [losses, lse]) {
    const width = last(logits.shape);
    for (const [row, target] of targets.data.entries()) {
      const values = logits.data.subarray(row * width, (row + 1) * width);
      const top = values.reduce((a, b) => Math.max(a, b), -Infinity);
      lse.data[row] = top + Math.log(values.reduce((sum, value) => sum + Math.exp(value - top), 0));
      losses.data[row] = lse.data[row] - values[target];
    }
  },
};

/** See {@link crossEntropyOp}; returns the losses. */
export function crossEntropy(logits: Tensor, targets: Tensor): Tensor {
  return logits.graph.emit(crossEntropyOp, [logits, targets], null)[0];
}
