/**
 * Gradient norm and AdamW, in TensorFlow.js ops. All parameters are joined into one vector, because
 * fourteen ops over everything cost far less than fourteen ops a parameter.
 */
import { bytesOf, sizeOf, type Tensor } from '../../../graph/graph.ts';
import { adamwParts } from '../../../graph/ops/adamw.ts';
import type { Kernels, Setup, TfTensor } from '../kernel.ts';

/** Tensors one after the other as one vector. */
function flatten({ tf }: Setup, tensors: readonly TfTensor[]): TfTensor {
  return tf.concat(tensors.map((tensor) => tf.reshape(tensor, [tensor.size])));
}

/** The inverse of {@link flatten}. */
function unflatten({ tf }: Setup, vector: TfTensor, like: readonly Tensor[]): TfTensor[] {
  const sizes = like.map(({ shape }) => sizeOf(shape));
  return tf.split(vector, sizes).map((part, i): TfTensor => tf.reshape(part, [...like[i].shape]));
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
        const gradients = flatten(setup, parts.gradients);
        const gradient = tf.mul(gradients, tf.div(share, lossScale));
        free(gradients);
        const oldM = flatten(setup, parts.m);
        const m = tf.add(tf.mul(oldM, beta1), tf.mul(gradient, 1 - beta1));
        const oldV = flatten(setup, parts.v);
        const v = tf.add(tf.mul(oldV, beta2), tf.mul(tf.square(gradient), 1 - beta2));
        free(gradient, oldM, oldV);
        const root = tf.sqrt(tf.mul(v, 1 / (1 - beta2 ** step)));
        const direction = tf.div(m, tf.add(root, epsilon));
        free(root);
        const old = flatten(setup, parts.parameters);
        const decayed = tf.mul(old, 1 - learningRate * weightDecay);
        const next = tf.sub(decayed, tf.mul(direction, learningRate / (1 - beta1 ** step)));
        free(old, decayed, direction);
        // Asked only now, so that a GPU has everything else to do before it must answer.
        if (!Number.isFinite(setup.scalar(3, norm)))
          return [...parts.parameters, ...parts.m, ...parts.v].map((tensor) => tf.clone(tensor));
        return [next, m, v].flatMap((vector) => unflatten(setup, vector, like));
      };
    },
    // The joined copies of m, v and three vectors more.
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
