/** Elementwise ops, means and column sums as loops. */
import { dropoutMask } from '../../../graph/random.ts';
import type { Kernels } from '../kernel.ts';
import { onHost } from './onHost.ts';

export const hostElementwise: Pick<Kernels, 'columnSum' | 'dropout' | 'mean' | 'reluGrad'> = {
  columnSum: {
    prepare: (node, setup) =>
      onHost(node, setup, ([x], [y]) => {
        const width = y.length;
        const sums = new Float64Array(width);
        for (let start = 0; start < x.length; start += width)
          for (let d = 0; d < width; d++) sums[d] += x[start + d];
        y.set(sums);
      }),
  },
  dropout: {
    prepare: (node, setup) => {
      const { rate, site } = node.attributes;
      return onHost(node, setup, ([x], [y], [, seed, draw]) => {
        const mask = dropoutMask(
          x.length,
          rate,
          site,
          setup.scalar(2, draw),
          setup.scalar(1, seed),
        );
        for (let i = 0; i < y.length; i++) y[i] = x[i] * mask[i];
      });
    },
  },
  mean: {
    prepare: (node, setup) =>
      onHost(node, setup, ([x], [y]) => {
        let sum = 0;
        for (let i = 0; i < x.length; i++) sum += x[i];
        y[0] = sum / x.length;
      }),
  },
  reluGrad: {
    prepare: (node, setup) =>
      onHost(node, setup, ([y, dy], [dx]) => {
        for (let i = 0; i < dx.length; i++) dx[i] = y[i] > 0 ? dy[i] : 0;
      }),
  },
};
