/** Embedding, cross-entropy and their gradients, in TensorFlow.js ops. */
import { bytesOf, sizeOf } from '../../../graph/graph.ts';
import { last, rowsOf } from '../../../graph/shapes.ts';
import type { Kernels, TfTensor } from '../kernel.ts';
import { oneHot } from './oneHot.ts';

export const lossKernels: Pick<
  Kernels,
  'embedding' | 'embeddingGrad' | 'crossEntropy' | 'crossEntropyGrad'
> = {
  embedding: {
    prepare:
      ({ inputs: [{ shape }], attributes: { scale } }, { tf }) =>
      ([table, ids]) => {
        const rows = tf.reshape(table, [rowsOf(shape), last(shape)]);
        return [tf.mul(tf.gather(rows, ids), scale)];
      },
    scratch: ({ outputs: [y] }) => bytesOf(y),
  },
  embeddingGrad: {
    prepare({ inputs: [ids, dy], attributes: { shape, scale } }, { tf }) {
      const count = sizeOf(ids.shape);
      const width = last(dy.shape);
      return ([rows, gradient]) => {
        const sums = tf.unsortedSegmentSum(
          tf.reshape(gradient, [count, width]),
          tf.reshape(rows, [count]),
          rowsOf(shape),
        );
        return [tf.reshape(tf.mul(sums, scale), [...shape])];
      };
    },
    scratch: ({ outputs: [dTable] }) => bytesOf(dTable),
  },
  crossEntropy: {
    prepare({ inputs: [input], outputs: [losses] }, setup) {
      const { tf, free } = setup;
      const rows = rowsOf(input.shape);
      const classes = last(input.shape);
      const shape = [...losses.shape];
      const positions = setup.constant(`row starts ${rows} ${classes}`, () =>
        tf.tensor1d(
          Int32Array.from({ length: rows }, (_, row) => row * classes),
          'int32',
        ),
      );
      return ([logits, targets]) => {
        const matrix: TfTensor = tf.reshape(logits, [rows, classes]);
        const top = tf.max<TfTensor>(matrix, -1, true); // [N, 1]
        const shifted = tf.sub(matrix, top);
        const exponentials = tf.exp(shifted);
        const logSum = tf.log(tf.sum<TfTensor>(exponentials, -1)); // [N]
        free(exponentials);
        const chosen = tf.gather(
          tf.reshape(shifted, [rows * classes]),
          tf.add(positions, tf.reshape(targets, [rows])),
        ); // [N]
        return [
          tf.reshape(tf.sub(logSum, chosen), shape),
          tf.reshape(tf.add(logSum, tf.reshape(top, [rows])), shape),
        ];
      };
    },
    scratch: ({ inputs: [logits] }) => 2 * bytesOf(logits),
  },
  crossEntropyGrad: {
    prepare({ inputs: [input] }, setup) {
      const { tf, free } = setup;
      const rows = rowsOf(input.shape);
      const classes = last(input.shape);
      return ([logits, targets, lse, dLosses]) => {
        const shifted = tf.sub(tf.reshape(logits, [rows, classes]), tf.reshape(lse, [rows, 1]));
        const probabilities = tf.exp(shifted); // [N, V]
        free(shifted);
        const difference = tf.sub(probabilities, oneHot(tf, tf.reshape(targets, [rows]), classes));
        free(probabilities);
        const dLogits = tf.mul(difference, tf.reshape(dLosses, [rows, 1]));
        return [tf.reshape(dLogits, input.shape as number[])];
      };
    },
    scratch: ({ inputs: [logits] }) => 2 * bytesOf(logits),
  },
};
