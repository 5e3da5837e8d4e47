/** Sequences joined and cut along their tokens, and codes of positions, in TensorFlow.js ops. */
import { sinusoidAt } from '../../../graph/ops/sinusoid.ts';
import type { Kernels } from '../kernel.ts';

export const sequenceKernels: Pick<Kernels, 'concat' | 'sinusoid' | 'slice'> = {
  concat: {
    prepare:
      (_node, { tf }) =>
      ([a, b]) => [tf.concat([a, b], 1)],
  },
  sinusoid: {
    prepare({ attributes: { count, width, first } }, { tf, constant }) {
      const codes = constant(`sinusoid ${count} ${width} ${first}`, () => {
        const values = Float32Array.from({ length: count * width }, (_, i) =>
          sinusoidAt(first + Math.floor(i / width), i % width, width),
        );
        return tf.tensor(values, [count, width]);
      });
      return () => [tf.clone(codes)];
    },
  },
  slice: {
    prepare:
      ({ outputs: [y], attributes: { start } }, { tf }) =>
      ([x]) => [tf.slice(x, [0, start, 0], [...y.shape])],
  },
};
