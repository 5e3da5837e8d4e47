/** Top-k routing and its gradient, in TensorFlow.js ops. */
import { bytesOf } from '../../../graph/graph.ts';
import { rowsOf, last } from '../../../graph/shapes.ts';
import type { Kernels } from '../kernel.ts';
import { oneHot } from './oneHot.ts';

export const routingKernels: Pick<Kernels, 'select' | 'selectGrad'> = {
  select: {
    prepare({ inputs: [input], outputs: [indices], attributes: { groups, k } }, { tf }) {
      const experts = last(input.shape) / groups;
      const slots = rowsOf(input.shape) * groups;
      const shape = [...indices.shape];
      return ([logits]) => {
        const best = tf.topk(tf.reshape(logits, [slots, experts]), k, true);
        return [tf.reshape(best.indices, shape), tf.reshape(tf.sigmoid(best.values), shape)];
      };
    },
  },
  selectGrad: {
    prepare({ inputs: [input], outputs: [dLogits], attributes: { groups, k, experts } }, { tf }) {
      const slots = rowsOf(input.shape) * groups;
      return ([indices, weights, dWeights]) => {
        const d = tf.mul(dWeights, tf.mul(weights, tf.sub(1, weights)));
        const hot = oneHot(tf, tf.reshape(indices, [slots, k]), experts); // [N·G, k, E]
        const spread = tf.sum(tf.mul(hot, tf.reshape(d, [slots, k, 1])), 1); // [N·G, E]
        return [tf.reshape(spread, [...dLogits.shape])];
      };
    },
    scratch: ({ outputs: [dLogits], attributes: { k } }) => 2 * k * bytesOf(dLogits),
  },
};
