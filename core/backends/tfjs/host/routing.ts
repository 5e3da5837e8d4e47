/** Top-k routing, its gradient, expert dropout and a router's regularisers as loops. */
import { hiddenLogit } from '../../../graph/ops/expertDropout.ts';
import { dropoutMask } from '../../../graph/random.ts';
import { last } from '../../../graph/shapes.ts';
import type { Kernels } from '../kernel.ts';
import { byReference, onHost } from './onHost.ts';

export const hostRouting: Pick<
  Kernels,
  'expertDropout' | 'routerLoss' | 'routerLossGrad' | 'select' | 'selectGrad'
> = {
  expertDropout: {
    prepare: (node, setup) => {
      const { rate, site } = node.attributes;
      return onHost(node, setup, ([logits], [y], [, seedTensor, drawTensor]) => {
        const [seed, draw] = [setup.scalar(1, seedTensor), setup.scalar(2, drawTensor)];
        const mask = dropoutMask(y.length, rate, site, draw, seed);
        for (let i = 0; i < y.length; i++) y[i] = mask[i] === 0 ? hiddenLogit : logits[i];
      });
    },
  },
  routerLoss: { prepare: byReference },
  routerLossGrad: { prepare: byReference },
  select: {
    prepare: ({ inputs: [input], outputs: [type], attributes }, { tf }) => {
      const { groups, k, weights: kind } = attributes;
      const experts = last(input.shape) / groups;
      const shape = [...type.shape];
      return ([tensor]) => {
        const logits = tensor.dataSync();
        const slots = logits.length / experts;
        const indices = new Int32Array(slots * k);
        const weights = new Float32Array(slots * k);
        for (let slot = 0; slot < slots; slot++) {
          const start = slot * experts;
          // k rounds of maximum: each takes the best that comes after the one before it, in the
          // order of falling logits and rising index.
          let bound = Infinity;
          let boundIndex = -1;
          for (let j = 0; j < k; j++) {
            let best = -Infinity;
            let bestIndex = -1;
            for (let e = 0; e < experts; e++) {
              const value = logits[start + e];
              const after = value < bound || (value === bound && e > boundIndex);
              if (after && (bestIndex < 0 || value > best)) {
                best = value;
                bestIndex = e;
              }
            }
            // Only NaN finds nothing; the loss shows it.
            indices[slot * k + j] = Math.max(0, bestIndex);
            const weight = kind === 'logit' ? best : 1 / (1 + Math.exp(-best));
            weights[slot * k + j] = bestIndex < 0 ? NaN : weight;
            bound = best;
            boundIndex = bestIndex;
          }
        }
        return [tf.tensor(indices, shape, 'int32'), tf.tensor(weights, shape)];
      };
    },
  },
  selectGrad: {
    prepare: (node, setup) => {
      const { k, experts, weights: kind } = node.attributes;
      return onHost(node, setup, ([indices, weights, dWeights], [dLogits]) => {
        for (let i = 0, slot = 0; i < indices.length; slot++) {
          for (let j = 0; j < k; j++, i++) {
            const w = weights[i];
            const slope = kind === 'logit' ? 1 : w * (1 - w);
            dLogits[slot * experts + indices[i]] = dWeights[i] * slope;
          }
        }
      });
    },
  },
};
