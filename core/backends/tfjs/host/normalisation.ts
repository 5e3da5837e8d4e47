/** Layer normalisation, softmax and their gradients as loops, one row at a time. */
import { last } from '../../../graph/shapes.ts';
import type { Kernels } from '../kernel.ts';
import { onHost } from './onHost.ts';

export const hostNormalisation: Pick<
  Kernels,
  'layernorm' | 'layernormGrad' | 'softmax' | 'softmaxGrad'
> = {
  layernorm: {
    prepare: (node, setup) => {
      const { epsilon } = node.attributes;
      return onHost(node, setup, ([x, gain, bias], [y, means, deviations]) => {
        const width = gain.length;
        for (let row = 0, start = 0; start < x.length; row++, start += width) {
          // In double precision the plain formula E[x²] − E[x]² is exact enough, in one pass.
          let sum = 0;
          let squares = 0;
          for (let d = 0; d < width; d++) {
            const value = x[start + d];
            sum += value;
            squares += value * value;
          }
          const mean = sum / width;
          const variance = Math.max(0, squares / width - mean * mean);
          const reciprocal = 1 / Math.sqrt(variance + epsilon);
          means[row] = mean;
          deviations[row] = reciprocal;
          for (let d = 0; d < width; d++)
            y[start + d] = (x[start + d] - mean) * reciprocal * gain[d] + bias[d];
        }
      });
    },
  },
  layernormGrad: {
    prepare: (node, setup) =>
      onHost(node, setup, ([x, gain, means, deviations, dy], [dx, dGain, dBias]) => {
        const width = gain.length;
        const gains = new Float64Array(width);
        const biases = new Float64Array(width);
        for (let row = 0, start = 0; start < x.length; row++, start += width) {
          const mean = means[row];
          const deviation = deviations[row];
          let sumG = 0;
          let sumGX = 0;
          for (let d = 0; d < width; d++) {
            const gradient = dy[start + d];
            const normal = (x[start + d] - mean) * deviation;
            const g = gradient * gain[d];
            sumG += g;
            sumGX += g * normal;
            gains[d] += gradient * normal;
            biases[d] += gradient;
          }
          const meanG = sumG / width;
          const meanGX = sumGX / width;
          for (let d = 0; d < width; d++) {
            const normal = (x[start + d] - mean) * deviation;
            dx[start + d] = (dy[start + d] * gain[d] - meanG - normal * meanGX) * deviation;
          }
        }
        dGain.set(gains);
        dBias.set(biases);
      }),
  },
  softmax: {
    prepare: (node, setup) => {
      const width = last(node.inputs[0].shape);
      return onHost(node, setup, ([x], [y]) => {
        for (let start = 0; start < x.length; start += width) {
          let top = -Infinity;
          for (let i = start; i < start + width; i++) top = Math.max(top, x[i]);
          let sum = 0;
          for (let i = start; i < start + width; i++) sum += Math.exp(x[i] - top);
          const total = top + Math.log(sum);
          for (let i = start; i < start + width; i++) y[i] = Math.exp(x[i] - total);
        }
      });
    },
  },
  softmaxGrad: {
    prepare: (node, setup) => {
      const width = last(node.inputs[0].shape);
      return onHost(node, setup, ([y, dy], [dx]) => {
        for (let start = 0; start < y.length; start += width) {
          let dot = 0;
          for (let i = start; i < start + width; i++) dot += y[i] * dy[i];
          for (let i = start; i < start + width; i++) dx[i] = y[i] * (dy[i] - dot);
        }
      });
    },
  },
};
