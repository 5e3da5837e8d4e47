/** Gradient norm and AdamW as loops: one pass over everything, no temporaries. */
import { adamwParts } from '../../../graph/ops/adamw.ts';
import type { Kernels } from '../kernel.ts';
import { onHost } from './onHost.ts';

export const hostOptimizer: Pick<Kernels, 'adamw' | 'globalNorm'> = {
  adamw: {
    prepare: (node, setup) => {
      const { beta1, beta2, epsilon, weightDecay, clip } = node.attributes;
      return onHost(node, setup, (inputs, outputs) => {
        const { scalars, parameters, gradients, m, v } = adamwParts(inputs);
        const [learningRate, step, lossScale, norm] = scalars.map(([value]) => value);
        const factor = Math.min(1, clip / (norm + 1e-6)) / lossScale;
        const rate = learningRate / (1 - beta1 ** step);
        const correction = 1 / (1 - beta2 ** step);
        const keep = 1 - learningRate * weightDecay;
        const count = parameters.length;
        for (let i = 0; i < count; i++) {
          const [p, g, oldM, oldV] = [parameters[i], gradients[i], m[i], v[i]];
          const [newP, newM, newV] = [outputs[i], outputs[count + i], outputs[2 * count + i]];
          for (let j = 0; j < p.length; j++) {
            const gradient = g[j] * factor;
            const first = beta1 * oldM[j] + (1 - beta1) * gradient;
            const second = beta2 * oldV[j] + (1 - beta2) * gradient * gradient;
            newM[j] = first;
            newV[j] = second;
            newP[j] = p[j] * keep - (rate * first) / (Math.sqrt(second * correction) + epsilon);
          }
        }
      });
    },
  },
  globalNorm: {
    prepare: (node, setup) =>
      onHost(node, setup, ([lossScale, ...gradients], [norm]) => {
        let sum = 0;
        for (const values of gradients)
          for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
        norm[0] = Math.sqrt(sum) / lossScale[0];
      }),
  },
};
