/** Layer normalisation, softmax and their gradients, in TensorFlow.js ops. */
import { bytesOf } from '../../../graph/graph.ts';
import { last, lead, rowsOf } from '../../../graph/shapes.ts';
import type { Kernels, TfTensor } from '../kernel.ts';
import { sumOfRows } from './products.ts';

export const normalisationKernels: Pick<
  Kernels,
  'layernorm' | 'layernormGrad' | 'softmax' | 'softmaxGrad'
> = {
  layernorm: {
    prepare({ inputs: [input], attributes: { epsilon } }, { tf, free }) {
      const rows = lead(input.shape);
      return ([x, gain, bias]) => {
        const mean = tf.mean<TfTensor>(x, -1, true); // [..., 1]
        const centred = tf.sub(x, mean); // [..., D]
        const squares = tf.square(centred);
        const variance = tf.mean<TfTensor>(squares, -1, true); // [..., 1]
        free(squares);
        const deviation = tf.rsqrt(tf.add(variance, epsilon)); // [..., 1]
        const normal = tf.mul(centred, deviation); // [..., D]
        free(centred);
        const scaled = tf.mul(normal, gain);
        free(normal);
        return [tf.add(scaled, bias), tf.reshape(mean, rows), tf.reshape(deviation, rows)];
      };
    },
    scratch: ({ inputs: [x] }) => bytesOf(x),
  },
  layernormGrad: {
    prepare({ inputs: [input] }, setup) {
      const { tf, free } = setup;
      const width = last(input.shape);
      const rows = rowsOf(input.shape);
      return ([x, gain, means, deviations, dy]) => {
        const deviation = tf.reshape(deviations, [rows, 1]);
        const d = tf.reshape(dy, [rows, width]);
        const centred = tf.sub(tf.reshape(x, [rows, width]), tf.reshape(means, [rows, 1]));
        const normal = tf.mul(centred, deviation); // [rows, D]
        free(centred);
        const perGain = tf.mul(d, normal);
        const dGain = sumOfRows(setup, perGain);
        free(perGain);
        const g = tf.mul(d, gain);
        const gNormal = tf.mul(g, normal);
        const meanG = tf.mean<TfTensor>(g, -1, true); // [rows, 1]
        const meanGX = tf.mean<TfTensor>(gNormal, -1, true);
        free(gNormal);
        const along = tf.mul(normal, meanGX);
        const across = tf.sub(g, meanG);
        free(normal, g);
        const dx = tf.mul(tf.sub(across, along), deviation);
        return [tf.reshape(dx, input.shape as number[]), dGain, sumOfRows(setup, d)];
      };
    },
    scratch: ({ inputs: [x] }) => 3 * bytesOf(x),
  },
  softmax: {
    prepare:
      (_node, { tf }) =>
      ([x]) => [tf.softmax(x)],
  },
  softmaxGrad: {
    prepare:
      (_node, { tf }) =>
      ([y, dy]) => {
        const dot = tf.sum<TfTensor>(tf.mul(y, dy), -1, true); // [..., 1]
        return [tf.mul(y, tf.sub(dy, dot))];
      },
    scratch: ({ inputs: [y] }) => 2 * bytesOf(y),
  },
};
