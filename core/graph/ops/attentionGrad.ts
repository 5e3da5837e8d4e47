import type { Op, ReferenceTensor, Tensor } from '../graph.ts';
import { f32 } from '../shapes.ts';
import {
  attentionSizes,
  listedInputs,
  namedInputs,
  type AttentionAttributes,
  type AttentionInputs,
} from './attention.ts';
import { attentionRow, keyHeadOf, savedRow } from './attentionRow.ts';

/** Names the outputs of attentionGrad, which are the gradients of these inputs. */
function namedGradients<T>(
  gradients: readonly T[],
  { given }: AttentionAttributes,
): AttentionInputs<T> {
  return namedInputs(gradients, { given: given.filter((name) => name !== 'visible') });
}

/**
 * Backward pass of attention: the inputs of attention, y, what the forward pass saved, dy → dq, dk,
 * dv, then the gradients of those of positions, contentBias, positionBias and scale that are given;
 * all in the shapes of their inputs. With D = Σ dy·y per row: dlogit = p · (dy·v − D) (Dao et al.
 * 2022, FlashAttention, B.2).
 */
export const attentionGradOp: Op<AttentionAttributes> = {
  name: 'attentionGrad',
  infer(inputs, { given }) {
    const optional = given.flatMap((name, i) => (name === 'visible' ? [] : [inputs[3 + i]]));
    return [...inputs.slice(0, 3), ...optional].map(({ shape }) => f32(...shape));
  },
  reference(inputs, outputs, attributes) {
    const named = namedInputs(inputs, attributes);
    const gradients = namedGradients(outputs, attributes);
    const [y, saved, dy] = inputs.slice(-3);
    const { heads, keyHeads, save } = attributes;
    const { batch, length, source, valueWidth } = attentionSizes(named, attributes);
    for (let b = 0; b < batch; b++) {
      for (let h = 0; h < heads; h++) {
        for (let t = 0; t < length; t++) {
          const { first, end, logits, unscaled } = attentionRow(named, attributes, b, h, t);
          const row = savedRow(named, attributes, b, h, t);
          const yStart = ((b * length + t) * heads + h) * valueWidth;
          let rowDot = 0;
          for (let p = 0; p < valueWidth; p++) rowDot += dy.data[yStart + p] * y.data[yStart + p];
          for (let s = first; s < end; s++) {
            const probability =
              save === 'lse'
                ? Math.exp(logits[s - first] - saved.data[row])
                : saved.data[row * source + s];
            const vStart = ((b * source + s) * keyHeads + keyHeadOf(h, attributes)) * valueWidth;
            let dProbability = 0;
            for (let p = 0; p < valueWidth; p++) {
              dProbability += dy.data[yStart + p] * named.v.data[vStart + p];
              gradients.v.data[vStart + p] += probability * dy.data[yStart + p];
            }
            const dLogit = probability * (dProbability - rowDot);
            addLogitGradient(named, gradients, attributes, [b, h, t, s], dLogit);
            if (gradients.scale)
              gradients.scale.data[0] += dLogit * attributes.scale * unscaled[s - first];
          }
        }
      }
    }
  },
};

/** Adds what the gradient of one logit gives to all inputs but v and scale. Reference only. */
function addLogitGradient(
  inputs: AttentionInputs<ReferenceTensor>,
  gradients: AttentionInputs<ReferenceTensor>,
  attributes: AttentionAttributes,
  [b, h, t, s]: readonly [number, number, number, number],
  dLogit: number,
): void {
  const { q, k, positions, contentBias, positionBias, scale } = inputs;
  const { heads, keyHeads } = attributes;
  const { length, source, width } = attentionSizes(inputs, attributes);
  const dDot = dLogit * attributes.scale * (scale?.data[0] ?? 1);
  for (let p = 0; p < width; p++) {
    const headChannel = h * width + p;
    const keyChannel = keyHeadOf(h, attributes) * width + p;
    const query = (b * length + t) * heads * width + headChannel;
    const key = (b * source + s) * keyHeads * width + keyChannel;
    gradients.q.data[query] += dDot * k.data[key];
    gradients.k.data[key] += dDot * (q.data[query] + (contentBias?.data[headChannel] ?? 0));
    if (gradients.contentBias) gradients.contentBias.data[headChannel] += dDot * k.data[key];
    if (positions === undefined || gradients.positions === undefined) continue;
    const position = (s - t + length - 1) * keyHeads * width + keyChannel;
    gradients.q.data[query] += dDot * positions.data[position];
    gradients.positions.data[position] +=
      dDot * (q.data[query] + (positionBias?.data[headChannel] ?? 0));
    if (gradients.positionBias)
      gradients.positionBias.data[headChannel] += dDot * positions.data[position];
  }
}

/** See {@link attentionGradOp}: the gradients in its order. */
export function attentionGrad(
  inputs: AttentionInputs<Tensor>,
  y: Tensor,
  saved: Tensor,
  dy: Tensor,
  attributes: Omit<AttentionAttributes, 'given'>,
): readonly Tensor[] {
  const { listed, given } = listedInputs(inputs);
  const all = [...listed, y, saved, dy];
  return inputs.q.graph.emit(attentionGradOp, all, { ...attributes, given });
}
