import type { Tensor } from '../../graph/graph.ts';
import type { ModelBuilder } from '../builder.ts';
import { attend, project, type AttentionFamily, type RelativeOptions } from './attend.ts';

/**
 * Standard multi-head attention. With Transformer-XL positions (Dai et al. 2019) it has a content and
 * a position bias per head and a learned scale, as in the authors' code.
 */
export const dense: AttentionFamily = (builder, name, sides, config) => {
  const { destination, source, visible } = sides;
  const { heads, headWidth, positions, width } = config;
  const channels = heads * headWidth;
  const q = project(builder, `${name}.q`, destination, channels, config); // [B, T, H·P]
  const k = project(builder, `${name}.k`, source, channels, config); // [B, S, H·P]
  const v = project(builder, `${name}.v`, source, channels, config);
  const relative = positions === 'xl' ? biases(builder, name, channels, headWidth) : {};
  const y = attend(builder, name, { q, k, v }, visible, config, relative);
  return project(builder, `${name}.o`, y, width, config);
};

function biases(
  builder: ModelBuilder,
  name: string,
  channels: number,
  headWidth: number,
): RelativeOptions {
  const bias = (role: string): Tensor =>
    builder.parameter('positions', `${name}.${role}`, [channels], { kind: 'constant', value: 0 });
  return {
    contentBias: bias('contentBias'),
    positionBias: bias('positionBias'),
    scale: learnedScale(builder, name, headWidth),
  };
}

/** A learned factor of the attention logits that starts at 1 / sqrt(P): [1]. */
export function learnedScale(builder: ModelBuilder, name: string, headWidth: number): Tensor {
  return builder.parameter('positions', `${name}.scale`, [1], {
    kind: 'constant',
    value: 1 / Math.sqrt(headWidth),
  });
}
