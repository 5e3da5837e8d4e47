/** Top-k routing, its gradient and expert dropout, in TensorFlow.js ops. */
import { bytesOf, sizeOf } from '../../../graph/graph.ts';
import { hiddenLogit } from '../../../graph/ops/expertDropout.ts';
import { dropoutMask } from '../../../graph/random.ts';
import { rowsOf, last } from '../../../graph/shapes.ts';
import type { Kernels, TfTensor } from '../kernel.ts';
import { oneHot } from './oneHot.ts';

export const routingKernels: Pick<Kernels, 'expertDropout' | 'select' | 'selectGrad'> = {
  expertDropout: {
    prepare:
      ({ inputs: [{ shape }], attributes: { rate, site } }, { tf, scalar }) =>
      ([logits, seed, draw]) => {
        const mask = dropoutMask(sizeOf(shape), rate, site, scalar(2, draw), scalar(1, seed));
        const kept = tf.cast<TfTensor>(tf.tensor(mask, [...shape]), 'bool');
        return [tf.where(kept, logits, tf.fill([...shape], hiddenLogit))];
      },
    scratch: ({ outputs: [y] }) => 2 * bytesOf(y),
  },
  select: {
    prepare({ inputs: [input], outputs: [indices], attributes }, { tf }) {
      const { groups, k, weights } = attributes;
      const experts = last(input.shape) / groups;
      const slots = rowsOf(input.shape) * groups;
      const shape = [...indices.shape];
      return ([logits]) => {
        const best = tf.topk(tf.reshape(logits, [slots, experts]), k, true);
        const values = weights === 'logit' ? best.values : tf.sigmoid<TfTensor>(best.values);
        return [tf.reshape(best.indices, shape), tf.reshape(values, shape)];
      };
    },
  },
  selectGrad: {
    prepare({ inputs: [input], outputs: [dLogits], attributes }, { tf }) {
      const { groups, k, experts, weights: kind } = attributes;
      const slots = rowsOf(input.shape) * groups;
      return ([indices, weights, dWeights]) => {
        const d =
          kind === 'logit' ? dWeights : tf.mul(dWeights, tf.mul(weights, tf.sub(1, weights)));
        const hot = oneHot(tf, tf.reshape(indices, [slots, k]), experts); // [N·G, k, E]
        const spread = tf.sum(tf.mul(hot, tf.reshape(d, [slots, k, 1])), 1); // [N·G, E]
        return [tf.reshape(spread, [...dLogits.shape])];
      };
    },
    scratch: ({ outputs: [dLogits], attributes: { k } }) => 2 * k * bytesOf(dLogits),
  },
};
