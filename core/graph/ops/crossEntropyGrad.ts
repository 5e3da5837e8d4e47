import type { Op, Tensor } from '../graph.ts';
import { f32, last } from '../shapes.ts';

/** Gradient of the logits: logits [..., V], targets [...], lse [...], dLosses [...] → [..., V]. */
export const crossEntropyGradOp: Op<null> = {
  name: 'crossEntropyGrad',
  infer: ([logits]) => [f32(...logits.shape)],
  reference([logits, targets, lse, dLosses], [dLogits]) {
    const width = last(logits.shape);
    for (const [row, target] of targets.data.entries()) {
      for (let v = 0; v < width; v++) {
        const probability = Math.exp(logits.data[row * width + v] - lse.data[row]);
        dLogits.data[row * width + v] = dLosses.data[row] * (probability - (v === target ? 1 : 0));
      }
    }
  },
};

/** See {@link crossEntropyGradOp}. */
export function crossEntropyGrad(
  logits: Tensor,
  targets: Tensor,
  lse: Tensor,
  dLosses: Tensor,
): Tensor {
  return logits.graph.emit(crossEntropyGradOp, [logits, targets, lse, dLosses], null)[0];
}
