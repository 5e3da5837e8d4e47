import type { ModelConfig } from '../contract/config.ts';
import type { Tensor } from '../graph/graph.ts';
import { add } from '../graph/ops/add.ts';
import { embedding } from '../graph/ops/embedding.ts';
import { matmul } from '../graph/ops/matmul.ts';
import { attentionFamilies } from './attention.ts';
import type { ModelBuilder } from './builder.ts';
import { feedForwardFamilies } from './feedForward.ts';

/**
 * The pre-norm transformer language model: tokens [B, T] of i32 → logits [B, T, V].
 * Embedding scaled by sqrt(D), L blocks, final normalisation, an untied output layer with bias.
 */
export function languageModel(
  builder: ModelBuilder,
  tokens: Tensor,
  config: ModelConfig,
  vocabulary: number,
): Tensor {
  const { width, layers } = config;
  const deviation = 1 / Math.sqrt(width);
  const table = builder.parameter('embedding', 'embedding', [vocabulary, width], {
    kind: 'normal',
    deviation,
  });
  let h = builder.dropout(embedding(table, tokens, Math.sqrt(width))); // [B, T, D]
  for (let layer = 0; layer < layers; layer++) h = block(builder, `layers.${layer}`, h, config);
  const normal = builder.dropout(builder.norm('norm', h));
  // PyTorch's default for a linear layer, which the authors keep for the output.
  const init = { kind: 'uniform', bound: 1 / Math.sqrt(width) } as const;
  const weight = builder.parameter('output', 'output.weight', [width, vocabulary], init);
  const bias = builder.parameter('output', 'output.bias', [vocabulary], init);
  return matmul(normal, weight, { bias });
}

/** One block: attention and feed-forward, each normalised before and added after: [B, T, D] → [B, T, D]. */
function block(builder: ModelBuilder, name: string, h: Tensor, config: ModelConfig): Tensor {
  const attend = attentionFamilies[config.attention];
  const feedForward = feedForwardFamilies[config.feedForward];
  const middle = add(
    h,
    builder.dropout(attend(builder, `${name}.attention`, builder.norm(`${name}.norm1`, h), config)),
  );
  const mixed = feedForward(
    builder,
    `${name}.feedForward`,
    builder.norm(`${name}.norm2`, middle),
    config,
  );
  return add(middle, builder.dropout(mixed));
}
