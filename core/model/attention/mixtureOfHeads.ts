import type { ModelConfig } from '../../contract/config.ts';
import type { Tensor } from '../../graph/graph.ts';
import { cvmm } from '../../graph/ops/cvmm.ts';
import { matmul } from '../../graph/ops/matmul.ts';
import { routerLoss } from '../../graph/ops/routerLoss.ts';
import { select } from '../../graph/ops/select.ts';
import { softmax } from '../../graph/ops/softmax.ts';
import type { ModelBuilder } from '../builder.ts';
import { preNormDeviation } from '../initialisation.ts';
import { attend, project, type AttentionFamily } from './attend.ts';
import { learnedScale } from './dense.ts';

/**
 * Mixture of attention heads (Zhang et al. 2022, "Mixture of Attention Heads: Selecting Attention
 * Heads Per Token"), as the SwitchHead authors reimplemented it: E query and output projections, of
 * which every destination token takes the H best, and one key and value projection for all.
 */
export const mixtureOfHeads: AttentionFamily = (builder, name, sides, config) => {
  const { destination, source, visible } = sides;
  const { heads, headWidth, experts, layers, width, positions } = config;
  const { indices, gates } = route(builder, name, destination, config); // [B, T, H]
  const matrices = (projection: string, rows: number, columns: number, fanIn: number): Tensor =>
    builder.parameter('projections', `${name}.${projection}`, [experts, rows, columns], {
      kind: 'normal',
      deviation: preNormDeviation(layers, fanIn),
    });
  const routing = { groups: 1, k: heads } as const;
  const q = cvmm(destination, indices, matrices('q', width, headWidth, width), undefined, {
    ...routing,
    from: 'token',
    to: 'choice',
  }); // [B, T, H·P]
  const k = project(builder, `${name}.k`, source, headWidth, config); // [B, S, P]
  const v = project(builder, `${name}.v`, source, headWidth, config);
  const relative = positions === 'xl' ? { scale: learnedScale(builder, name, headWidth) } : {};
  const y = attend(builder, name, { q, k, v }, visible, config, relative); // [B, T, H·P]
  return cvmm(y, indices, matrices('o', headWidth, width, heads * headWidth), gates, {
    ...routing,
    from: 'choice',
    to: 'token',
  });
};

/** Which heads each token takes, and with which gate. Adds the regularisers in training. */
function route(
  builder: ModelBuilder,
  name: string,
  x: Tensor,
  config: ModelConfig,
): { indices: Tensor; gates: Tensor } {
  const { heads, experts, layers, width, gating, expertDropout } = config;
  const weight = builder.parameter('selection', `${name}.select`, [width, experts], {
    kind: 'equalColumns',
    deviation: preNormDeviation(layers, width),
  });
  const logits = matmul(x, weight); // [B, T, E]
  const candidates = builder.dropExperts(logits, expertDropout);
  const { indices, gates } = choose(candidates, heads, gating);
  const { variationLoss, switchLoss, zLoss } = config;
  if (builder.options.training && variationLoss + switchLoss + zLoss > 0)
    builder.regularisers.push(
      routerLoss(logits, indices, gates, {
        groups: 1,
        k: heads,
        entropy: 0,
        variation: variationLoss,
        switch: switchLoss,
        z: zLoss,
      }),
    );
  return { indices, gates };
}

function choose(
  logits: Tensor,
  heads: number,
  gating: ModelConfig['gating'],
): { indices: Tensor; gates: Tensor } {
  const best = { groups: 1, k: heads };
  switch (gating) {
    case 'softmax': {
      const { indices, weights } = select(softmax(logits), { ...best, weights: 'logit' });
      return { indices, gates: weights };
    }
    case 'sigmoid': {
      const { indices, weights } = select(logits, best);
      return { indices, gates: weights };
    }
    case 'softmax-chosen': {
      const { indices, weights } = select(logits, { ...best, weights: 'logit' });
      return { indices, gates: softmax(weights) };
    }
  }
}
