/** What all attention families share: projections, positions and the attention matrices. */
import type { ModelConfig } from '../../contract/config.ts';
import type { ParameterPart } from '../../contract/records.ts';
import type { Tensor } from '../../graph/graph.ts';
import { attention, type AttentionInputs } from '../../graph/ops/attention.ts';
import { matmul } from '../../graph/ops/matmul.ts';
import { rope } from '../../graph/ops/rope.ts';
import type { ModelBuilder } from '../builder.ts';
import { preNormDeviation } from '../initialisation.ts';

/** What attention works on; both sides are normalised already. */
export interface AttentionSides {
  /** The chunk that asks: [B, T, D]. */
  readonly destination: Tensor;
  /** Memory and chunk, or the chunk alone: [B, S, D]. */
  readonly source: Tensor;
  /** First visible source of every row and one past its last: [B, 2]. Absent: all are. */
  readonly visible?: Tensor | undefined;
}

/** A family maps its sides to [B, T, D]; norm, dropout and residual stay with the block. */
export type AttentionFamily = (
  builder: ModelBuilder,
  name: string,
  sides: AttentionSides,
  config: ModelConfig,
) => Tensor;

/** Base of the rotary frequencies, as in the authors' code and RoFormer. */
const ropeBase = 10_000;

/** A bias-free linear projection of x [..., I] to [..., width]. */
export function project(
  builder: ModelBuilder,
  name: string,
  x: Tensor,
  width: number,
  { layers }: ModelConfig,
  part: ParameterPart = 'projections',
): Tensor {
  const fanIn = x.shape[x.shape.length - 1];
  const weight = builder.parameter(part, name, [fanIn, width], {
    kind: 'truncatedNormal',
    deviation: preNormDeviation(layers, fanIn),
  });
  return matmul(x, weight);
}

/** Queries of H heads, and keys and values of as many or of one that all share. */
export interface Heads {
  /** [B, T, H·P] */
  readonly q: Tensor;
  /** [B, S, H·P] or [B, S, P] */
  readonly k: Tensor;
  readonly v: Tensor;
}

/** What only Transformer-XL positions have. */
export type RelativeOptions = Partial<
  Pick<AttentionInputs<Tensor>, 'contentBias' | 'positionBias' | 'scale'>
>;

/**
 * Attention of all heads with the configured positions: → [B, T, H·P].
 * @param name of the attention layer, for the position projection
 */
export function attend(
  builder: ModelBuilder,
  name: string,
  { q, k, v }: Heads,
  visible: Tensor | undefined,
  config: ModelConfig,
  relative: RelativeOptions = {},
): Tensor {
  const { heads, headWidth, positions, task } = config;
  const keyHeads = k.shape[2] / headWidth;
  const causal = task === 'language-model';
  const attributes = {
    heads,
    keyHeads,
    causal,
    scale: relative.scale === undefined ? 1 / Math.sqrt(headWidth) : 1,
    save: builder.options.attentionSave,
  };
  if (positions === 'rope') {
    const rotated = { q: rotate(q, heads, headWidth), k: rotate(k, keyHeads, headWidth), v };
    const [y] = attention({ ...rotated, visible }, attributes);
    return y;
  }
  const [length, source] = [q.shape[1], k.shape[1]];
  // From the farthest source before a query to the query itself, or to the farthest after it.
  const count = causal ? source : source + length - 1;
  const codes = builder.positions(count, config.width, 1 - source); // [N, D]
  const projected = project(
    builder,
    `${name}.position`,
    codes,
    keyHeads * headWidth,
    config,
    'positions',
  );
  const [y] = attention({ q, k, v, visible, positions: projected, ...relative }, attributes);
  return y;
}

/** Rotary positions on the first half of every head. */
function rotate(x: Tensor, heads: number, headWidth: number): Tensor {
  const rotated = Math.floor(headWidth / 2);
  return rope(x, { heads, rotated, base: ropeBase, offset: 0, inverse: false });
}
