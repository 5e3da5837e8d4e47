/** Cutting sequences as a loop: cpu's own slice finds the place of every single value. */
import type { Kernels } from '../kernel.ts';
import { onHost } from './onHost.ts';

export const hostSequences: Pick<Kernels, 'slice'> = {
  slice: {
    prepare: (node, setup) => {
      const { start, length } = node.attributes;
      const [batch, tokens, channels] = node.inputs[0].shape;
      return onHost(node, setup, ([x], [y]) => {
        for (let row = 0; row < batch; row++) {
          const from = (row * tokens + start) * channels;
          y.set(x.subarray(from, from + length * channels), row * length * channels);
        }
      });
    },
  },
};
