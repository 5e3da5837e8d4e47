import type { Op, Tensor } from '../graph.ts';
import { dropoutMask } from '../random.ts';
import { f32 } from '../shapes.ts';
import { dropout, requireRate } from './dropout.ts';
import { scale } from './scale.ts';

export interface ExpertDropoutAttributes {
  /** Probability that an expert is hidden, in [0, 1). */
  readonly rate: number;
  /** Which dropout of the model; every one has its own masks. */
  readonly site: number;
}

/**
 * The logit of a hidden expert. Finite, where the authors have −∞, so that a softmax or a top-k over
 * fewer kept experts than it needs stays finite; its sigmoid is exactly 0.
 */
export const hiddenLogit = -1e9;

/**
 * Expert dropout (Csordás et al. 2023): routing logits [..., G·E], seed [] and draw [] of i32 →
 * [..., G·E], those that the mask of random.ts for (site, draw, seed) drops replaced by
 * {@link hiddenLogit}, the others as they are. Gradients reach the kept ones only.
 */
export const expertDropoutOp: Op<ExpertDropoutAttributes> = {
  name: 'expertDropout',
  infer([logits], { rate }) {
    requireRate(rate, 'expertDropout');
    return [f32(...logits.shape)];
  },
  backward({ attributes: { rate, site } }, [dy]) {
    // The same mask as dropout's, without its scale.
    return [dy === undefined ? undefined : scale(dropout(dy, { rate, site }), 1 - rate)];
  },
  reference([logits, seed, draw], [y], { rate, site }) {
    const mask = dropoutMask(y.data.length, rate, site, draw.data[0], seed.data[0]);
    for (let i = 0; i < y.data.length; i++)
      y.data[i] = mask[i] === 0 ? hiddenLogit : logits.data[i];
  },
};

/** See {@link expertDropoutOp}. */
export function expertDropout(logits: Tensor, attributes: ExpertDropoutAttributes): Tensor {
  const { graph } = logits;
  const inputs = [logits, graph.uniform('seed'), graph.uniform('draw')];
  return graph.emit(expertDropoutOp, inputs, attributes)[0];
}
