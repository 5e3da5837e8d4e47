/** The feed-forward families: normalised x [B, T, D] → [B, T, D]. */
import type { ModelConfig } from '../contract/config.ts';
import type { Tensor } from '../graph/graph.ts';
import { cvmm } from '../graph/ops/cvmm.ts';
import { matmul } from '../graph/ops/matmul.ts';
import { routerLoss } from '../graph/ops/routerLoss.ts';
import { select } from '../graph/ops/select.ts';
import type { ModelBuilder } from './builder.ts';
import { preNormDeviation } from './initialisation.ts';

type FeedForwardFamily = (
  builder: ModelBuilder,
  name: string,
  x: Tensor,
  config: ModelConfig,
) => Tensor;

/** Two linear layers with ReLU and biases. */
const dense: FeedForwardFamily = (builder, name, x, config) => {
  const { width, feedForwardWidth, layers } = config;
  const linear = (layer: string, fanIn: number, fanOut: number) => ({
    weight: builder.parameter('feedForward', `${name}.${layer}.weight`, [fanIn, fanOut], {
      kind: 'truncatedNormal',
      deviation: preNormDeviation(layers, fanIn),
    }),
    bias: builder.parameter('feedForward', `${name}.${layer}.bias`, [fanOut], {
      kind: 'constant',
      value: 0,
    }),
  });
  const up = linear('up', width, feedForwardWidth);
  const down = linear('down', feedForwardWidth, width);
  const hidden = matmul(x, up.weight, { bias: up.bias, activation: 'relu' }); // [B, T, d_ff]
  return matmul(builder.dropout(hidden, config.dropout), down.weight, { bias: down.bias });
};

/**
 * σ-MoE (Csordás et al. 2023, "Approximating Two-Layer Feedforward Networks for Efficient
 * Transformers"): y = Σ w_e · relu(x K_e) V_e over the k experts with the highest logits, w = sigmoid.
 * No dropout inside, as in the authors' runs.
 */
const sigmaMoe: FeedForwardFamily = (builder, name, x, config) => {
  const {
    width,
    layers,
    feedForwardExperts: experts,
    feedForwardExpertWidth: expertWidth,
  } = config;
  const routing = { groups: 1, k: config.feedForwardActiveExperts };
  const selection = builder.parameter('feedForward', `${name}.select`, [width, experts], {
    kind: 'equalColumns',
    deviation: preNormDeviation(layers, width),
  });
  const keys = builder.parameter('feedForward', `${name}.keys`, [experts, width, expertWidth], {
    kind: 'normal',
    deviation: preNormDeviation(layers, width),
  });
  const values = builder.parameter('feedForward', `${name}.values`, [experts, expertWidth, width], {
    kind: 'normal',
    deviation: preNormDeviation(layers, experts * expertWidth),
  });
  const logits = matmul(x, selection); // [B, T, experts]
  const candidates = builder.dropExperts(logits, config.feedForwardExpertDropout);
  const { indices, weights } = select(candidates, routing);
  const { entropyLoss: entropy } = config;
  if (builder.options.training && entropy > 0)
    builder.regularisers.push(
      routerLoss(logits, indices, weights, { ...routing, entropy, variation: 0, switch: 0, z: 0 }),
    );
  const hidden = cvmm(x, indices, keys, undefined, {
    ...routing,
    from: 'token',
    to: 'choice',
    activation: 'relu',
  }); // [B, T, k·G]
  return cvmm(hidden, indices, values, weights, {
    ...routing,
    from: 'choice',
    to: 'token',
  });
};

export const feedForwardFamilies: Readonly<Record<ModelConfig['feedForward'], FeedForwardFamily>> =
  {
    dense,
    'sigma-moe': sigmaMoe,
  };
