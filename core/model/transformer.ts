import type { ModelConfig } from '../contract/config.ts';
import type { Tensor } from '../graph/graph.ts';
import { add } from '../graph/ops/add.ts';
import { concat } from '../graph/ops/concat.ts';
import { embedding } from '../graph/ops/embedding.ts';
import { matmul } from '../graph/ops/matmul.ts';
import { slice } from '../graph/ops/slice.ts';
import { attentionFamilies } from './attention/index.ts';
import type { ModelBuilder } from './builder.ts';
import { feedForwardFamilies } from './feedForward.ts';

/** ListOps values are digits. */
export const classes = 10;

/** What a transformer reads. */
export interface TransformerInput {
  /** [B, T] of i32. */
  readonly tokens: Tensor;
  /** First visible source of every row and one past its last: [B, 2] of i32. Absent: all are. */
  readonly visible?: Tensor;
  /** What every layer remembers of earlier chunks: [B, M, D] each. Absent: nothing. */
  readonly memories?: readonly Tensor[];
  /** For classification: b·T + position of every row's last real token: [B] of i32. */
  readonly last?: Tensor;
}

export interface TransformerOutput {
  /** [B, T, V], or [B, classes]. */
  readonly logits: Tensor;
  /** What every layer remembers afterwards: its own input, not normalised: [B, M, D] each. */
  readonly memories: readonly Tensor[];
}

/**
 * The pre-norm transformer. Embedding scaled by sqrt(D), L blocks, final normalisation, an untied
 * output layer with bias. A language model predicts after every token, a classifier from the last.
 */
export function transformer(
  builder: ModelBuilder,
  input: TransformerInput,
  config: ModelConfig,
  vocabulary: number,
): TransformerOutput {
  const { width, layers, dropout, task } = config;
  const deviation = 1 / Math.sqrt(width);
  const table = builder.parameter('embedding', 'embedding', [vocabulary, width], {
    kind: 'normal',
    deviation,
  });
  let h = builder.dropout(embedding(table, input.tokens, Math.sqrt(width)), dropout); // [B, T, D]
  const inputs: Tensor[] = [];
  for (let layer = 0; layer < layers; layer++) {
    inputs.push(h);
    h = block(builder, `layers.${layer}`, h, input.memories?.[layer], input.visible, config);
  }
  if (input.last !== undefined) h = embedding(h, input.last, 1); // rows of [B, T, D]: [B, D]
  const normal = builder.dropout(builder.norm('norm', width)(h), dropout);
  const outputs = task === 'classification' ? classes : vocabulary;
  return {
    logits: outputLayer(builder, normal, outputs),
    memories: (input.memories ?? []).map((memory, layer) => remember(memory, inputs[layer])),
  };
}

/** A linear layer as PyTorch starts it, which the authors keep for the output: [..., D] → [..., width]. */
function outputLayer(builder: ModelBuilder, x: Tensor, width: number): Tensor {
  const fanIn = x.shape[x.shape.length - 1];
  const init = { kind: 'uniform', bound: 1 / Math.sqrt(fanIn) } as const;
  const parameter = (role: string, shape: readonly number[]): Tensor =>
    builder.parameter('output', `output.${role}`, shape, init);
  const weight = parameter('weight', [fanIn, width]);
  return matmul(x, weight, { bias: parameter('bias', [width]) });
}

/** The newest M tokens of memory [B, M, D] and chunk [B, T, D]. */
function remember(memory: Tensor, chunk: Tensor): Tensor {
  const [, length] = memory.shape;
  if (length === chunk.shape[1]) return chunk;
  const all = concat(memory, chunk);
  return slice(all, all.shape[1] - length, length);
}

/** One block: attention and feed-forward, each normalised before and added after: [B, T, D] → [B, T, D]. */
function block(
  builder: ModelBuilder,
  name: string,
  h: Tensor,
  memory: Tensor | undefined,
  visible: Tensor | undefined,
  config: ModelConfig,
): Tensor {
  const { width, dropout, layerDropout } = config;
  const norm = builder.norm(`${name}.norm1`, width);
  const destination = norm(h);
  const source = memory === undefined ? destination : concat(norm(memory), destination); // [B, S, D]
  const sides = { destination, source, visible };
  const attend = attentionFamilies[config.attention];
  const attended = builder.dropout(attend(builder, `${name}.attention`, sides, config), dropout);
  const middle = add(h, attended);
  const feedForward = feedForwardFamilies[config.feedForward];
  const normal = builder.norm(`${name}.norm2`, width)(middle);
  const mixed = builder.dropout(
    feedForward(builder, `${name}.feedForward`, normal, config),
    dropout,
  );
  if (layerDropout === 0) return add(middle, mixed);
  return add(h, builder.dropTokens(add(attended, mixed), layerDropout));
}
