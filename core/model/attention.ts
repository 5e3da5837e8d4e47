/**
 * The attention families. Each maps the normalised input x [B, T, D] to [B, T, D]; norm, dropout and
 * residual stay with the block. All are without projection biases.
 */
import type { ModelConfig } from '../contract/config.ts';
import type { Tensor } from '../graph/graph.ts';
import { attention } from '../graph/ops/attention.ts';
import { cvmm } from '../graph/ops/cvmm.ts';
import { matmul } from '../graph/ops/matmul.ts';
import { rope } from '../graph/ops/rope.ts';
import { select } from '../graph/ops/select.ts';
import type { ModelBuilder } from './builder.ts';

type AttentionFamily = (
  builder: ModelBuilder,
  name: string,
  x: Tensor,
  config: ModelConfig,
) => Tensor;

/** Base of the rotary frequencies, as in the authors' code and RoFormer. */
const ropeBase = 10_000;

/** Deviation of a matrix in an L-layer pre-norm transformer: sqrt(2 / L) / sqrt(fanIn). */
export function preNormDeviation(layers: number, fanIn: number): number {
  return Math.sqrt(2 / layers / fanIn);
}

/** A bias-free linear projection of x [B, T, D] to [B, T, width]. */
function project(
  builder: ModelBuilder,
  name: string,
  x: Tensor,
  width: number,
  config: ModelConfig,
): Tensor {
  const fanIn = x.shape[2];
  const deviation = preNormDeviation(config.layers, fanIn);
  const weight = builder.parameter('attention', name, [fanIn, width], {
    kind: 'truncatedNormal',
    deviation,
  });
  return matmul(x, weight);
}

/** Causal attention of all heads with rotary positions: q, k [B, T, H·P], v [B, T, H·Pv] → [B, T, H·Pv]. */
function attend(
  builder: ModelBuilder,
  q: Tensor,
  k: Tensor,
  v: Tensor,
  config: ModelConfig,
): Tensor {
  const { heads, headWidth } = config;
  const rotation = {
    heads,
    rotated: Math.floor(headWidth / 2),
    base: ropeBase,
    offset: 0,
    inverse: false,
  };
  const [y] = attention(rope(q, rotation), rope(k, rotation), v, {
    heads,
    causal: true,
    scale: 1 / Math.sqrt(headWidth),
    save: builder.options.attentionSave,
  });
  return y;
}

/** Standard multi-head attention. */
const dense: AttentionFamily = (builder, name, x, config) => {
  const width = config.heads * config.headWidth;
  const q = project(builder, `${name}.q`, x, width, config); // [B, T, H·P]
  const k = project(builder, `${name}.k`, x, width, config);
  const v = project(builder, `${name}.v`, x, width, config);
  return project(builder, `${name}.o`, attend(builder, q, k, v, config), config.width, config);
};

/**
 * SwitchHead (Csordás et al. 2024, section 2.2): dense q and k, and for every head E experts for the
 * values, chosen from the source token, and E for the output, chosen from the destination token.
 */
const switchHead: AttentionFamily = (builder, name, x, config) => {
  const { heads, headWidth, experts, activeExperts: k, layers, width } = config;
  const routing = { groups: heads, k };
  const route = (side: string) => {
    const deviation = preNormDeviation(layers, width);
    const shape = [width, heads * experts];
    const weight = builder.parameter('attention', `${name}.${side}`, shape, {
      kind: 'equalColumns',
      deviation,
    });
    return select(matmul(x, weight), routing);
  };
  const expertMatrices = (side: string, rows: number, columns: number, fanIn: number) =>
    builder.parameter('attention', `${name}.${side}`, [heads * experts, rows, columns], {
      kind: 'normal',
      deviation: preNormDeviation(layers, fanIn),
    });

  const q = project(builder, `${name}.q`, x, heads * headWidth, config); // [B, T, H·P]
  const keys = project(builder, `${name}.k`, x, heads * headWidth, config);
  const source = route('selectV');
  const vExperts = expertMatrices('v', width, headWidth, width);
  const v = cvmm(x, source.indices, vExperts, source.weights, {
    ...routing,
    from: 'token',
    to: 'group',
  });
  const y = attend(builder, q, keys, v, config); // [B, T, H·P]
  const destination = route('selectO');
  const oExperts = expertMatrices('o', headWidth, width, heads * headWidth);
  return cvmm(y, destination.indices, oExperts, destination.weights, {
    ...routing,
    from: 'group',
    to: 'token',
  });
};

export const attentionFamilies: Readonly<Record<ModelConfig['attention'], AttentionFamily>> = {
  dense,
  switchhead: switchHead,
};
