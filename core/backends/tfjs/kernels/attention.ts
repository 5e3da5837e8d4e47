/**
 * Attention and rotary positions, in TensorFlow.js ops. Few passes over the [B, H, T, S] matrices,
 * which are the largest tensors of a step: the scale goes into q, the causal mask is one addition,
 * and the row sums of the backward pass come from dy·y instead of from the probabilities.
 */
import { bytesOf, type Node } from '../../../graph/graph.ts';
import type { AttentionAttributes } from '../../../graph/ops/attention.ts';
import { ropeAngle } from '../../../graph/ops/rope.ts';
import type { Kernels, Setup, TfjsBackend, TfTensor } from '../kernel.ts';
import { product } from './products.ts';

/** Added where the causal mask hides a source: far below any logit, and exp of it is zero. */
const hidden = -1e9;

/** [B, T, H·P] → [B, H, T, P] */
function splitHeads({ tf }: Setup, x: TfTensor, heads: number): TfTensor {
  const [batch, length, channels] = x.shape;
  return tf.transpose(tf.reshape(x, [batch, length, heads, channels / heads]), [0, 2, 1, 3]);
}

/** [B, H, T, P] → [B, T, H·P] */
function joinHeads({ tf }: Setup, x: TfTensor): TfTensor {
  const [batch, heads, length, width] = x.shape;
  return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [batch, length, heads * width]);
}

/** Zero where query t sees source s, `hidden` elsewhere: [T, S]. None where all see all. */
function maskOf(
  { tf, constant }: Setup,
  { inputs: [q, k], attributes: { causal } }: Node<AttentionAttributes>,
): TfTensor | undefined {
  if (!causal) return undefined;
  const length = q.shape[1];
  const source = k.shape[1];
  return constant(`causal ${length} ${source}`, () => {
    const mask = new Float32Array(length * source);
    for (let t = 0; t < length; t++)
      mask.fill(hidden, t * source + source - length + t + 1, (t + 1) * source);
    return tf.tensor(mask, [length, source]);
  });
}

/** Masked logits [B, H, T, S] of heads q [B, H, T, P] and k [B, H, S, P]. */
function maskedLogits(
  setup: Setup,
  q: TfTensor,
  k: TfTensor,
  scale: number,
  mask: TfTensor | undefined,
): TfTensor {
  const { tf, free } = setup;
  const scaled = tf.mul(q, scale);
  const logits = product(setup, scaled, k, false, true); // [B, H, T, S]
  free(scaled);
  if (mask === undefined) return logits;
  const masked = tf.add(logits, mask);
  free(logits);
  return masked;
}

const matrixBytes = ({ inputs: [q, k], attributes }: Node<AttentionAttributes>) =>
  4 * q.shape[0] * attributes.heads * q.shape[1] * k.shape[1];

/** Matrices held twice while a batch of products is put together again; wasm only. */
const takenApart = (backend: TfjsBackend) => (backend === 'wasm' ? 1 : 0);

export const attentionKernels: Pick<Kernels, 'attention' | 'attentionGrad' | 'rope'> = {
  attention: {
    prepare(node, setup) {
      const { tf, free, needed } = setup;
      const { heads, save, scale } = node.attributes;
      const mask = maskOf(setup, node);
      return ([q, k, v]) => {
        const qHeads = splitHeads(setup, q, heads);
        const kHeads = splitHeads(setup, k, heads);
        const logits = maskedLogits(setup, qHeads, kHeads, scale, mask);
        free(qHeads, kHeads);
        const lse = save === 'lse' && needed[1] ? tf.logSumExp<TfTensor>(logits, -1) : undefined; // [B, H, T]
        const probabilities = tf.softmax(logits); // [B, H, T, S]
        free(logits);
        const y = product(setup, probabilities, splitHeads(setup, v, heads)); // [B, H, T, Pv]
        return [joinHeads(setup, y), save === 'lse' ? lse : probabilities];
      };
    },
    scratch: (node, backend) =>
      (2 + takenApart(backend)) * matrixBytes(node) +
      bytesOf(node.inputs[0]) +
      bytesOf(node.inputs[1]),
  },
  attentionGrad: {
    prepare(node, setup) {
      const { tf, free } = setup;
      const { heads, scale, save } = node.attributes;
      const mask = save === 'lse' ? maskOf(setup, node) : undefined;
      return ([q, k, v, y, saved, dy]) => {
        const qHeads = splitHeads(setup, q, heads); // [B, H, T, P]
        const kHeads = splitHeads(setup, k, heads); // [B, H, S, P]
        const vHeads = splitHeads(setup, v, heads); // [B, H, S, Pv]
        const dyHeads = splitHeads(setup, dy, heads); // [B, H, T, Pv]
        let probabilities = saved;
        if (save === 'lse') {
          const logits = maskedLogits(setup, qHeads, kHeads, scale, mask);
          const shifted = tf.sub(logits, tf.expandDims(saved, -1));
          free(logits);
          probabilities = tf.exp(shifted); // [B, H, T, S]
          free(shifted);
        }
        const dv = product(setup, probabilities, dyHeads, true, false); // [B, H, S, Pv]
        const rowDot = tf.sum<TfTensor>(splitHeads(setup, tf.mul(dy, y), heads), -1, true); // [B, H, T, 1]
        const dProbabilities = product(setup, dyHeads, vHeads, false, true); // [B, H, T, S]
        const centred = tf.sub(dProbabilities, rowDot);
        free(dProbabilities);
        const dLogits = tf.mul(probabilities, centred); // [B, H, T, S]
        free(centred);
        const dq = product(setup, dLogits, tf.mul(kHeads, scale)); // [B, H, T, P]
        const dk = product(setup, dLogits, tf.mul(qHeads, scale), true, false); // [B, H, S, P]
        return [joinHeads(setup, dq), joinHeads(setup, dk), joinHeads(setup, dv)];
      };
    },
    scratch: (node, backend) => {
      const [q, k, v, , , dy] = node.inputs;
      const recomputed = node.attributes.save === 'lse' ? 2 : 0;
      return (
        (2 + recomputed + takenApart(backend)) * matrixBytes(node) +
        [q, k, v, dy].reduce((sum, x) => sum + bytesOf(x), 0)
      );
    },
  },
  rope: {
    prepare({ inputs: [input], attributes }, { tf, constant }) {
      const { heads, rotated, base, offset, inverse } = attributes;
      const [batch, length, channels] = input.shape;
      const width = channels / heads;
      const half = rotated / 2;
      if (half === 0) return ([x]) => [tf.clone(x)];
      const table = (name: 'cos' | 'sin') =>
        constant(`rope ${name} ${length} ${rotated} ${base} ${offset}`, () => {
          const values = new Float32Array(length * half);
          for (let t = 0; t < length; t++)
            for (let i = 0; i < half; i++)
              values[t * half + i] = Math[name](ropeAngle(offset + t, i, rotated, base));
          return tf.tensor(values, [length, 1, half]); // [T, 1, rotated/2]
        });
      const cos = table('cos');
      const sin = table('sin');
      return ([x]) => {
        const split = tf.reshape(x, [batch, length, heads, width]);
        const part = (start: number, size: number) =>
          tf.slice(split, [0, 0, 0, start], [batch, length, heads, size]);
        const first = part(0, half); // [B, T, H, rotated/2]
        const second = part(half, half);
        const [plus, minus] = inverse ? [tf.sub, tf.add] : [tf.add, tf.sub];
        const parts: TfTensor[] = [
          minus(tf.mul(first, cos), tf.mul(second, sin)),
          plus(tf.mul(second, cos), tf.mul(first, sin)),
        ];
        if (rotated < width) parts.push(part(rotated, width - rotated));
        return [tf.reshape(tf.concat(parts, -1), [batch, length, channels])];
      };
    },
    scratch: ({ inputs: [x] }) => 4 * bytesOf(x),
  },
};
