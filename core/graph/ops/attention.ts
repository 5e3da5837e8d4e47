import type { Op, Tensor } from '../graph.ts';
import { f32, requireShape, show } from '../shapes.ts';
import { attentionGrad } from './attentionGrad.ts';

export interface AttentionAttributes {
  readonly heads: number;
  /** A query sees only sources at or before its own position; with S > T the last query sees all. */
  readonly causal: boolean;
  /** Logits are q·k times this. */
  readonly scale: number;
  /**
   * What the backward pass gets: 'lse', the log-sum-exp of every row (little memory, logits computed
   * again), or 'probabilities', the whole attention matrices (more memory, less work). The executor
   * says which suits it.
   */
  readonly save: 'lse' | 'probabilities';
}

/**
 * Scaled dot-product attention, one matrix a head: q [B, T, H·P], k [B, S, H·P], v [B, S, H·Pv] →
 * y [B, T, H·Pv], and what `save` asks for: lse [B, H, T] or probabilities [B, H, T, S].
 */
export const attentionOp: Op<AttentionAttributes> = {
  name: 'attention',
  infer([q, k, v], { heads, causal, save }) {
    const [batch, length, channels] = q.shape;
    const source = k.shape[1];
    requireShape(
      [q, k, v].every(
        (x) => x.shape.length === 3 && x.shape[0] === batch && x.shape[2] % heads === 0,
      ) &&
        k.shape[2] === channels &&
        v.shape[1] === source &&
        (!causal || source >= length),
      'attention',
      `q ${show(q)}, k ${show(k)} and v ${show(v)} do not fit ${heads} heads.`,
    );
    const saved = save === 'lse' ? f32(batch, heads, length) : f32(batch, heads, length, source);
    return [f32(batch, length, v.shape[2]), saved];
  },
  backward({ inputs: [q, k, v], outputs: [y, saved], attributes }, [dy]) {
    if (dy === undefined) return [];
    return [...attentionGrad(q, k, v, y, saved, dy, attributes)];
  },
  reference([q, k, v], [y, saved], attributes) {
    const [batch, length] = q.shape;
    const { heads, save } = attributes;
    const source = k.shape[1];
    const valueWidth = v.shape[2] / heads;
    for (let b = 0; b < batch; b++) {
      for (let h = 0; h < heads; h++) {
        for (let t = 0; t < length; t++) {
          const logits = attentionLogits(q.data, k.data, q.shape, source, b, h, t, attributes);
          const top = logits.reduce((a, c) => Math.max(a, c), -Infinity);
          const lse = top + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - top), 0));
          const row = (b * heads + h) * length + t;
          if (save === 'lse') saved.data[row] = lse;
          for (let s = 0; s < source; s++) {
            const probability = Math.exp(logits[s] - lse);
            if (save === 'probabilities') saved.data[row * source + s] = probability;
            for (let p = 0; p < valueWidth; p++)
              y.data[((b * length + t) * heads + h) * valueWidth + p] +=
                probability * v.data[((b * source + s) * heads + h) * valueWidth + p];
          }
        }
      }
    }
  },
};

/** The logits of one row, −∞ where the causal mask hides a source. Reference only. */
export function attentionLogits(
  q: Float64Array,
  k: Float64Array,
  [, length, channels]: readonly number[],
  source: number,
  b: number,
  h: number,
  t: number,
  { heads, causal, scale }: AttentionAttributes,
): Float64Array {
  const width = channels / heads;
  const logits = new Float64Array(source).fill(-Infinity);
  const visible = causal ? source - length + t + 1 : source;
  for (let s = 0; s < visible; s++) {
    let dot = 0;
    for (let p = 0; p < width; p++)
      dot +=
        q[(b * length + t) * channels + h * width + p] *
        k[(b * source + s) * channels + h * width + p];
    logits[s] = dot * scale;
  }
  return logits;
}

/** See {@link attentionOp}: [y, saved]. */
export function attention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  attributes: AttentionAttributes,
): readonly Tensor[] {
  return q.graph.emit(attentionOp, [q, k, v], attributes);
}
