/**
 * Gradient norm and AdamW, in TensorFlow.js ops. All parameters are joined into one vector, because
 * fourteen ops over everything cost far less than fourteen ops a parameter.
 */
import { bytesOf, sizeOf, type Tensor } from '../../../graph/graph.ts';
import { adamwParts } from '../../../graph/ops/adamw.ts';
import type { Kernels, Setup, TfTensor } from '../kernel.ts';

/** Tensors one after the other as one vector. */
function flatten({ tf }: Setup, tensors: readonly TfTensor[]): TfTensor {
  return tf.tidy(() => tf.concat(tensors.map((tensor) => tf.reshape(tensor, [tensor.size]))));
}

/** The inverse of {@link flatten}, instead of the vector. */
function unflatten({ tf, free }: Setup, vector: TfTensor, like: readonly Tensor[]): TfTensor[] {
  const sizes = like.map(({ shape }) => sizeOf(shape));
  const parts = tf.tidy(() =>
    tf.split(vector, sizes).map((part, i): TfTensor => tf.reshape(part, [...like[i].shape])),
  );
  free(vector);
  return parts;
}

export const optimizerKernels: Pick<Kernels, 'adamw' | 'globalNorm'> = {
  adamw: {
    prepare(node, setup) {
      const { tf, free } = setup;
      const { beta1, beta2, epsilon, weightDecay, clip } = node.attributes;
      const like = adamwParts(node.inputs).parameters;
      return (inputs) => {
        const { scalars, ...parts } = adamwParts(inputs);
        const norm = scalars[3];
        const [learningRate, step, lossScale] = [0, 1, 2].map((i) => setup.scalar(i, scalars[i]));
        const share = tf.minimum(1, tf.div(clip, tf.add(norm, 1e-6)));
        const scaled = (tensors: readonly TfTensor[], factor: number | TfTensor): TfTensor => {
          const vector = flatten(setup, tensors);
          const result = tf.mul(vector, factor);
          free(vector);
          return result;
        };
        /** a + b, instead of both. */
        const sum = (a: TfTensor, b: TfTensor): TfTensor => {
          const result = tf.add(a, b);
          free(a, b);
          return result;
        };
        const gradient = scaled(parts.gradients, tf.div(share, lossScale));
        const m = sum(scaled(parts.m, beta1), tf.mul(gradient, 1 - beta1));
        const squares = tf.square(gradient);
        const scaledSquares = tf.mul(squares, 1 - beta2);
        free(gradient, squares);
        const v = sum(scaled(parts.v, beta2), scaledSquares);
        const root = tf.tidy(() => tf.add(tf.sqrt(tf.mul(v, 1 / (1 - beta2 ** step))), epsilon));
        const direction = tf.div(m, root);
        free(root);
        const change = tf.mul(direction, -learningRate / (1 - beta1 ** step));
        free(direction);
        const next = sum(scaled(parts.parameters, 1 - learningRate * weightDecay), change);
        // Asked only now, so that a GPU has everything else to do before it must answer.
        if (!Number.isFinite(setup.scalar(3, norm)))
          return [...parts.parameters, ...parts.m, ...parts.v].map((tensor) => tf.clone(tensor));
        return [next, m, v].flatMap((vector) => unflatten(setup, vector, like));
      };
    },
    // Six vectors: m, v and four more while the next is made, or all three joined and cut.
    scratch: ({ outputs }) => 2 * outputs.reduce((sum, tensor) => sum + bytesOf(tensor), 0),
  },
  globalNorm: {
    prepare(_node, setup) {
      const { tf } = setup;
      return ([lossScale, ...gradients]) => {
        const squares = gradients.map((gradient) => tf.sum(tf.square(gradient)));
        return [tf.div(tf.sqrt(tf.addN(squares)), setup.scalar(0, lossScale))];
      };
    },
    scratch: ({ inputs: [, ...gradients] }) => Math.max(...gradients.map(bytesOf)),
  },
};
