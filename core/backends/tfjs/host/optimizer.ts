/** Gradient norm and AdamW as loops: one pass over everything, no temporaries. */
import { adamwParts } from '../../../graph/ops/adamw.ts';
import type { Kernels } from '../kernel.ts';
import { onHost, type Values } from './onHost.ts';

export const hostOptimizer: Pick<Kernels, 'adamw' | 'globalNorm'> = {
  adamw: {
    prepare: (node, setup) => {
      const { beta1, beta2, epsilon, weightDecay, clip } = node.attributes;
      return onHost(node, setup, (inputs, outputs) => {
        const { scalars, parameters, gradients, m, v } = adamwParts(inputs);
        const [learningRate, step, lossScale, norm] = scalars.map(([value]) => value);
        if (!Number.isFinite(norm)) {
          for (const [i, values] of [...parameters, ...m, ...v].entries()) outputs[i].set(values);
          return;
        }
        const factors: Factors = {
          gradient: Math.min(1, clip / (norm + 1e-6)) / lossScale,
          beta1,
          beta2,
          epsilon,
          rate: learningRate / (1 - beta1 ** step),
          correction: 1 / (1 - beta2 ** step),
          keep: 1 - learningRate * weightDecay,
        };
        const count = parameters.length;
        for (let i = 0; i < count; i++)
          update(
            [parameters[i], gradients[i], m[i], v[i]],
            [outputs[i], outputs[count + i], outputs[2 * count + i]],
            factors,
          );
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

interface Factors {
  readonly gradient: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Learning rate with the correction of the first moment. */
  readonly rate: number;
  /** Correction of the second moment. */
  readonly correction: number;
  readonly keep: number;
}

/** One tensor's update. The factors become locals, which the compiler keeps in registers. */
function update(
  [p, g, m, v]: readonly Values[],
  [newP, newM, newV]: readonly Float32Array[],
  { gradient: factor, beta1, beta2, epsilon, rate, correction, keep }: Factors,
): void {
  for (let j = 0; j < newP.length; j++) {
    const gradient = g[j] * factor;
    const first = beta1 * m[j] + (1 - beta1) * gradient;
    const second = beta2 * v[j] + (1 - beta2) * gradient * gradient;
    newM[j] = first;
    newV[j] = second;
    newP[j] = p[j] * keep - (rate * first) / (Math.sqrt(second * correction) + epsilon);
  }
}
