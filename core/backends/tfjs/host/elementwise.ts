/** Elementwise ops, means and column sums as loops. */
import { dropoutFactors } from '../../../graph/ops/dropout.ts';
import { last } from '../../../graph/shapes.ts';
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
      const { attributes, inputs } = node;
      return onHost(node, setup, ([x], [y], [, seedTensor, drawTensor]) => {
        const [seed, draw] = [setup.scalar(1, seedTensor), setup.scalar(2, drawTensor)];
        const factors = dropoutFactors(inputs[0].shape, attributes, seed, draw);
        if (attributes.unit === 'element') {
          for (let i = 0; i < y.length; i++) y[i] = x[i] * factors[i];
          return;
        }
        const width = last(inputs[0].shape);
        for (let row = 0; row < factors.length; row++)
          if (factors[row] === 1) y.set(x.subarray(row * width, (row + 1) * width), row * width);
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
