/** Embedding, cross-entropy and their gradients as loops. */
import { last } from '../../../graph/shapes.ts';
import type { Kernels } from '../kernel.ts';
import { onHost } from './onHost.ts';

export const hostLoss: Pick<
  Kernels,
  'embedding' | 'embeddingGrad' | 'crossEntropy' | 'crossEntropyGrad'
> = {
  embedding: {
    prepare: (node, setup) => {
      const { scale } = node.attributes;
      const width = last(node.inputs[0].shape);
      return onHost(node, setup, ([table, ids], [y]) => {
        for (let row = 0; row < ids.length; row++) {
          const from = ids[row] * width;
          const to = row * width;
          for (let d = 0; d < width; d++) y[to + d] = scale * table[from + d];
        }
      });
    },
  },
  embeddingGrad: {
    prepare: (node, setup) => {
      const { scale } = node.attributes;
      const width = last(node.inputs[1].shape);
      return onHost(node, setup, ([ids, dy], [dTable]) => {
        for (let row = 0; row < ids.length; row++) {
          const to = ids[row] * width;
          const from = row * width;
          for (let d = 0; d < width; d++) dTable[to + d] += scale * dy[from + d];
        }
      });
    },
  },
  crossEntropy: {
    prepare: (node, setup) => {
      const width = last(node.inputs[0].shape);
      return onHost(node, setup, ([logits, targets], [losses, lse]) => {
        for (let row = 0; row < targets.length; row++) {
          const start = row * width;
          let top = -Infinity;
          for (let v = 0; v < width; v++) top = Math.max(top, logits[start + v]);
          let sum = 0;
          for (let v = 0; v < width; v++) sum += Math.exp(logits[start + v] - top);
          const total = top + Math.log(sum);
          lse[row] = total;
          losses[row] = total - logits[start + targets[row]];
        }
      });
    },
  },
  crossEntropyGrad: {
    prepare: (node, setup) => {
      const width = last(node.inputs[0].shape);
      return onHost(node, setup, ([logits, targets, lse, dLosses], [dLogits]) => {
        for (let row = 0; row < targets.length; row++) {
          const start = row * width;
          const total = lse[row];
          const dLoss = dLosses[row];
          for (let v = 0; v < width; v++)
            dLogits[start + v] = dLoss * Math.exp(logits[start + v] - total);
          dLogits[start + targets[row]] -= dLoss;
        }
      });
    },
  },
};
