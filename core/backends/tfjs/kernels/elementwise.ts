/** Elementwise ops and means, in TensorFlow.js ops. */
import { bytesOf } from '../../../graph/graph.ts';
import { dropoutFactors } from '../../../graph/ops/dropout.ts';
import { lead } from '../../../graph/shapes.ts';
import type { Kernels, TfTensor } from '../kernel.ts';

export const elementwiseKernels: Pick<
  Kernels,
  'add' | 'broadcast' | 'dropout' | 'mean' | 'reluGrad' | 'scale'
> = {
  add: {
    prepare:
      ({ attributes: { factor } }, { tf }) =>
      ([a, b]) => [factor === 1 ? tf.add(a, b) : tf.add(a, tf.mul(b, factor))],
    scratch: ({ outputs, attributes: { factor } }) => (factor === 1 ? 0 : bytesOf(outputs[0])),
  },
  broadcast: {
    prepare:
      ({ attributes: { shape, factor } }, { tf }) =>
      ([x]) => {
        const scaled = tf.reshape(
          tf.mul(x, factor),
          shape.map(() => 1),
        );
        return [tf.broadcastTo(scaled, [...shape])];
      },
  },
  dropout: {
    prepare:
      ({ inputs: [{ shape }], attributes }, { tf, scalar }) =>
      ([x, seed, draw]) => {
        const factors = dropoutFactors(shape, attributes, scalar(1, seed), scalar(2, draw));
        const mask = attributes.unit === 'row' ? [...lead(shape), 1] : [...shape];
        return [tf.mul(x, tf.tensor(factors, mask))];
      },
    scratch: ({ inputs: [x] }) => bytesOf(x),
  },
  mean: {
    // In two stages: shorter sums round less.
    prepare:
      (_node, { tf }) =>
      ([x]) => [tf.mean(x.rank > 1 ? tf.mean<TfTensor>(x, -1) : x)],
  },
  reluGrad: {
    // y is an output of ReLU, so its sign is the mask; wasm's sign is slow and its step is not,
    // on tensorflow it is the other way round.
    prepare:
      (_node, { tf, backend }) =>
      ([y, dy]) => [tf.mul(backend === 'tensorflow' ? tf.sign(y) : tf.step(y), dy)],
    scratch: ({ outputs: [dx] }) => bytesOf(dx),
  },
  scale: {
    prepare:
      ({ attributes: { factor } }, { tf }) =>
      ([x]) => [tf.mul(x, factor)],
  },
};
