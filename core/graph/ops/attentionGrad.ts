import type { Op, Tensor } from '../graph.ts';
import { f32 } from '../shapes.ts';
import { attentionLogits, type AttentionAttributes } from './attention.ts';

/**
 * Backward pass of attention: q, k, v, y, what the forward pass saved, dy → dq, dk, dv in the shapes
 * of q, k, v. With D = Σ dy·y per row: dlogit = p · (dy·v − D) (Dao et al. 2022, FlashAttention, B.2).
 */
export const attentionGradOp: Op<AttentionAttributes> = {
  name: 'attentionGrad',
  infer: ([q, k, v]) => [f32(...q.shape), f32(...k.shape), f32(...v.shape)],
  reference([q, k, v, y, saved, dy], [dq, dk, dv], attributes) {
    const [batch, length, channels] = q.shape;
    const { heads, scale, save } = attributes;
    const source = k.shape[1];
    const width = channels / heads;
    const valueWidth = v.shape[2] / heads;
    for (let b = 0; b < batch; b++) {
      for (let h = 0; h < heads; h++) {
        for (let t = 0; t < length; t++) {
          const row = (b * heads + h) * length + t;
          const yStart = ((b * length + t) * heads + h) * valueWidth;
          const qStart = (b * length + t) * channels + h * width;
          let rowDot = 0;
          for (let p = 0; p < valueWidth; p++) rowDot += dy.data[yStart + p] * y.data[yStart + p];
          const logits = attentionLogits(q.data, k.data, q.shape, source, b, h, t, attributes);
          for (let s = 0; s < source; s++) {
            const probability =
              save === 'lse' ? Math.exp(logits[s] - saved.data[row]) : saved.data[row * source + s];
            const vStart = ((b * source + s) * heads + h) * valueWidth;
            const kStart = (b * source + s) * channels + h * width;
            let dProbability = 0;
            for (let p = 0; p < valueWidth; p++) {
              dProbability += dy.data[yStart + p] * v.data[vStart + p];
              dv.data[vStart + p] += probability * dy.data[yStart + p];
            }
            const dLogit = probability * (dProbability - rowDot) * scale;
            for (let p = 0; p < width; p++) {
              dq.data[qStart + p] += dLogit * k.data[kStart + p];
              dk.data[kStart + p] += dLogit * q.data[qStart + p];
            }
          }
        }
      }
    }
  },
};

/** See {@link attentionGradOp}: [dq, dk, dv]. */
export function attentionGrad(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  y: Tensor,
  saved: Tensor,
  dy: Tensor,
  attributes: AttentionAttributes,
): readonly Tensor[] {
  return q.graph.emit(attentionGradOp, [q, k, v, y, saved, dy], attributes);
}
