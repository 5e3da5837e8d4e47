import type { Op, Tensor } from '../graph.ts';
import { dropoutMask } from '../random.ts';
import { f32, requireShape } from '../shapes.ts';

export interface DropoutAttributes {
  /** Probability of zero, in [0, 1). */
  readonly rate: number;
  /** Which dropout of the model; every one has its own masks. */
  readonly site: number;
}

/**
 * Inverted dropout: x times the mask of random.ts for (site, draw, seed), the same on every backend.
 * x [...], seed [] and draw [] of i32 → [...]. Its gradient is itself with the same mask.
 */
export const dropoutOp: Op<DropoutAttributes> = {
  name: 'dropout',
  infer([x], { rate }) {
    requireShape(rate >= 0 && rate < 1, 'dropout', `the rate must be in [0, 1), not ${rate}.`);
    return [f32(...x.shape)];
  },
  backward({ inputs: [, seed, draw], attributes }, [dy]) {
    if (dy === undefined) return [];
    return [dy.graph.emit(dropoutOp, [dy, seed, draw], attributes)[0]];
  },
  reference([x, seed, draw], [y], { rate, site }) {
    const mask = dropoutMask(x.data.length, rate, site, draw.data[0], seed.data[0]);
    // The factor in full precision: the mask itself is float32.
    for (let i = 0; i < y.data.length; i++) y.data[i] = mask[i] === 0 ? 0 : x.data[i] / (1 - rate);
  },
};

/** See {@link dropoutOp}. */
export function dropout(x: Tensor, attributes: DropoutAttributes): Tensor {
  const { graph } = x;
  return graph.emit(dropoutOp, [x, graph.uniform('seed'), graph.uniform('draw')], attributes)[0];
}
