import { choice, integer, number, text, type ValueOf } from './fields.ts';
import { precisions } from './records.ts';

/** Every non-empty set of the projections Q, K, V and O, written in that order. */
const projectionSets = [
  ...['vo', 'v', 'o', 'k', 'q', 'kv', 'ko', 'qv', 'qo', 'qk'],
  ...['kvo', 'qvo', 'qko', 'qkv', 'qkvo'],
] as const;

/**
 * Every field of a run's configuration, declared once. Symbols in labels are those of the paper:
 * T tokens, D model width, H heads, P head width, E experts per head, k active experts.
 */
export const fields = {
  model: {
    task: choice({
      default: 'language-model',
      choices: ['language-model', 'classification'],
      label: 'Task',
      help: 'language-model: predict the next token, looking only back. classification: name the class of a whole sequence, looking both ways; for ListOps data.',
    }),
    attention: choice({
      default: 'switchhead',
      choices: ['dense', 'switchhead', 'moa'],
      label: 'Attention',
      help: 'dense: standard multi-head attention. switchhead: few heads, each with several experts for some of its projections. moa: mixture of attention heads, the H best of E heads for every token, on shared keys and values.',
    }),
    positions: choice({
      default: 'rope',
      choices: ['rope', 'xl'],
      label: 'Positions',
      help: 'rope: rotary positions on the first half of every head (the first floor(P/2) channels). xl: relative positions of Transformer-XL, with earlier chunks of the text kept as memory.',
    }),
    memoryChunks: integer({
      default: 1,
      min: 0,
      max: 64,
      label: 'Cached chunks',
      unit: 'chunks',
      help: 'Chunks of T tokens before the present one that attention reads from memory. The paper uses 1.',
      when: { positions: ['xl'] },
    }),
    evaluationMemoryChunks: integer({
      default: 0,
      min: 0,
      max: 64,
      label: 'Cached chunks in validation',
      unit: 'chunks',
      help: 'More context in validation than in training; 0 keeps as many chunks as training does.',
      when: { positions: ['xl'] },
    }),
    feedForward: choice({
      default: 'dense',
      choices: ['dense', 'sigma-moe'],
      label: 'Feed-forward',
      help: 'dense: two linear layers with ReLU. sigma-moe: a mixture of experts with sigmoid routing; with switchhead attention this is SwitchAll.',
    }),
    context: integer({
      default: 128,
      min: 2,
      max: 65536,
      label: 'Context (T)',
      unit: 'tokens',
      help: 'Tokens in one training sequence; attention sees no further back.',
    }),
    layers: integer({
      default: 4,
      min: 1,
      max: 256,
      label: 'Layers (L)',
      help: 'Number of transformer blocks.',
    }),
    width: integer({
      default: 128,
      min: 4,
      max: 16384,
      label: 'Model width (D)',
      unit: 'channels',
      help: 'Width of the residual stream and of the token embedding.',
    }),
    heads: integer({
      default: 2,
      min: 1,
      max: 256,
      label: 'Heads (H)',
      help: 'Attention matrices per layer. SwitchHead needs far fewer than dense attention.',
    }),
    headWidth: integer({
      default: 24,
      min: 4,
      max: 1024,
      label: 'Head width (P)',
      unit: 'channels',
      help: 'Channels per head. With RoPE, floor(P/2) must be even: 41 rotates 20 channels, 50 is not valid.',
    }),
    experts: integer({
      default: 4,
      min: 1,
      max: 256,
      label: 'Attention experts (E)',
      help: 'SwitchHead: experts of every head, for each projection that has any; one expert is a dense head with a gate. MoA: heads to choose from, of which H are active for a token.',
      when: { attention: ['switchhead', 'moa'] },
    }),
    activeExperts: integer({
      default: 2,
      min: 1,
      max: 256,
      label: 'Active attention experts (k)',
      help: 'Experts chosen per head and token, on either side.',
      when: { attention: ['switchhead'] },
    }),
    expertProjections: choice({
      default: 'vo',
      choices: projectionSets,
      label: 'Projections with experts',
      help: 'Which of the projections Q, K, V and O are experts; the others are dense. The paper found V and O best. K shares the choice of V, Q that of O.',
      when: { attention: ['switchhead'] },
    }),
    selection: choice({
      default: 'separate',
      choices: ['separate', 'shared'],
      label: 'Selection',
      help: 'separate: one selection for the source side (K, V), another for the destination side (Q, O). shared: one for both; it needs experts on both sides.',
      when: { attention: ['switchhead'] },
    }),
    gating: choice({
      default: 'softmax',
      choices: ['softmax', 'sigmoid', 'softmax-chosen'],
      label: 'MoA gate',
      help: 'softmax: over all E heads, of which the H best keep their share (MoA as published). sigmoid, softmax-chosen: the H best by raw logit, gated by their sigmoid, or by a softmax over these H.',
      when: { attention: ['moa'] },
    }),
    expertDropout: number({
      default: 0,
      min: 0,
      max: 0.95,
      label: 'Attention expert dropout',
      help: 'In training each expert is hidden from a token’s choice with this probability.',
      when: { attention: ['switchhead', 'moa'] },
    }),
    variationLoss: number({
      default: 0,
      min: 0,
      max: 1000,
      label: 'Variation loss',
      help: 'Weight of the squared coefficient of variation of what the gates give each head in total, a regulariser of MoA.',
      when: { attention: ['moa'] },
    }),
    switchLoss: number({
      default: 0,
      min: 0,
      max: 1000,
      label: 'Switch loss',
      help: 'Weight of the balancing loss of Switch Transformers: share of tokens times mean probability, over heads.',
      when: { attention: ['moa'] },
    }),
    zLoss: number({
      default: 0,
      min: 0,
      max: 1000,
      label: 'z-loss',
      help: 'Weight of the mean squared log-sum-exp of the selection logits, which keeps them small.',
      when: { attention: ['moa'] },
    }),
    feedForwardWidth: integer({
      default: 512,
      min: 1,
      max: 131072,
      label: 'Feed-forward width (d_ff)',
      unit: 'channels',
      help: 'Hidden width of the dense feed-forward.',
      when: { feedForward: ['dense'] },
    }),
    feedForwardExperts: integer({
      default: 8,
      min: 1,
      max: 4096,
      label: 'Feed-forward experts',
      help: 'Number of experts in a mixture-of-experts feed-forward; its d_ff is experts times expert width.',
      when: { feedForward: ['sigma-moe'] },
    }),
    feedForwardExpertWidth: integer({
      default: 64,
      min: 1,
      max: 16384,
      label: 'Feed-forward expert width (G)',
      unit: 'channels',
      help: 'Hidden width of one feed-forward expert.',
      when: { feedForward: ['sigma-moe'] },
    }),
    feedForwardActiveExperts: integer({
      default: 2,
      min: 1,
      max: 4096,
      label: 'Active feed-forward experts (k)',
      help: 'Feed-forward experts chosen per token.',
      when: { feedForward: ['sigma-moe'] },
    }),
    feedForwardExpertDropout: number({
      default: 0,
      min: 0,
      max: 0.95,
      label: 'Feed-forward expert dropout',
      help: 'In training each feed-forward expert is hidden from a token’s choice with this probability.',
      when: { feedForward: ['sigma-moe'] },
    }),
    entropyLoss: number({
      default: 0,
      min: 0,
      max: 1000,
      label: 'Entropy regulariser',
      help: 'Weight of the entropy of the mean selection, which is made large: it spreads tokens over the feed-forward experts. The paper’s small SwitchAll uses 0.0001.',
      when: { feedForward: ['sigma-moe'] },
    }),
    dropout: number({
      default: 0,
      min: 0,
      max: 0.95,
      label: 'Dropout',
      help: 'Share of activations set to zero in training: after the embedding, attention, feed-forward and the last normalisation, and inside a dense feed-forward.',
    }),
    layerDropout: number({
      default: 0,
      min: 0,
      max: 0.95,
      label: 'Layer dropout',
      help: 'In training each token passes by each layer unchanged with this probability.',
    }),
  },
  data: {
    tokenizer: text({
      default: 'byte',
      // N from 256 to 30000.
      pattern:
        '^(byte|listops|bpe:(25[6-9]|2[6-9][0-9]|[3-9][0-9]{2}|[1-9][0-9]{3}|[12][0-9]{4}|30000))$',
      patternHelp:
        '"byte", "listops", or "bpe:N" with a vocabulary size N from 256 to 30000, such as bpe:8000',
      label: 'Tokenizer',
      help: 'How a file becomes tokens: byte (256 values), bpe:N, a byte-pair encoding of N entries trained on the file, or listops for lines of label, tab and ListOps expression.',
    }),
    validationShare: number({
      default: 0.1,
      min: 0,
      exclusiveMin: true,
      max: 0.5,
      label: 'Validation share',
      help: 'The last part of the text, kept for validation and never trained on.',
    }),
  },
  training: {
    steps: integer({
      default: 600,
      min: 1,
      max: 100_000_000,
      label: 'Steps',
      unit: 'steps',
      help: 'Optimiser steps of the whole run; the learning-rate schedule spans them.',
    }),
    batch: integer({
      default: 16,
      min: 1,
      max: 4096,
      label: 'Batch',
      unit: 'sequences',
      help: 'Sequences per micro-batch. The effective batch is this times the accumulated micro-batches.',
    }),
    accumulate: integer({
      default: 1,
      min: 1,
      max: 1024,
      label: 'Micro-batches per step',
      help: 'Gradients of this many micro-batches are averaged before each optimiser step; saves memory.',
    }),
    learningRate: number({
      default: 3e-3,
      min: 0,
      exclusiveMin: true,
      max: 10,
      label: 'Learning rate',
      help: 'Peak learning rate of AdamW, reached at the end of warm-up.',
    }),
    warmup: integer({
      default: 50,
      min: 0,
      max: 10_000_000,
      label: 'Warm-up',
      unit: 'steps',
      help: 'Steps over which the learning rate rises linearly from zero.',
    }),
    finalLearningRateShare: number({
      default: 0.1,
      min: 0,
      max: 1,
      label: 'Final learning rate',
      unit: 'share of the peak',
      help: 'After warm-up a cosine takes the learning rate down to this share of its peak at the last step.',
    }),
    clip: number({
      default: 1,
      min: 0,
      exclusiveMin: true,
      max: 1e6,
      label: 'Gradient clip',
      help: 'Gradients are scaled down so that their global norm is at most this.',
    }),
    weightDecay: number({
      default: 0,
      min: 0,
      max: 10,
      label: 'Weight decay',
      help: 'Decoupled weight decay of AdamW, applied to every parameter.',
    }),
    beta1: number({
      default: 0.9,
      min: 0,
      max: 0.99999,
      label: 'Beta 1',
      help: 'Decay of AdamW’s first moment.',
    }),
    beta2: number({
      default: 0.999,
      min: 0,
      max: 0.9999999,
      label: 'Beta 2',
      help: 'Decay of AdamW’s second moment.',
    }),
    epsilon: number({
      default: 1e-8,
      min: 0,
      exclusiveMin: true,
      max: 1,
      label: 'Epsilon',
      help: 'Added to the denominator of AdamW’s update.',
    }),
    precision: choice({
      default: 'f32',
      choices: precisions,
      label: 'Precision',
      help: 'f32: single precision. f16: products and most activations in half precision, sums, parameters and optimiser in single precision; faster and smaller, for the webgpu backend on a GPU that has it.',
    }),
    lossScaling: choice({
      default: 'automatic',
      choices: ['automatic', 'none', 'dynamic'],
      label: 'Loss scaling',
      help: 'dynamic: the loss is multiplied by 65536 before the backward pass and the gradients divided by it; doubled after 2,000 good steps, halved where a gradient overflows, whose batch is passed by. automatic: dynamic with precision f16, none with f32.',
    }),
    seed: integer({
      default: 1,
      min: 0,
      max: 4294967295,
      label: 'Seed',
      help: 'Seeds initialisation, batches and dropout. The same seed, data and device give the same losses.',
    }),
    evaluateEvery: integer({
      default: 100,
      min: 1,
      max: 10_000_000,
      label: 'Evaluate every',
      unit: 'steps',
      help: 'Steps between validations; the last step is always validated.',
    }),
    evaluationBatches: integer({
      default: 0,
      min: 0,
      max: 1_000_000,
      label: 'Evaluation batches',
      unit: 'batches',
      help: 'Batches in one validation, spread evenly over the validation data; with memory, the first chunks of every stream. 0 takes all of it.',
    }),
    checkpointEvery: integer({
      default: 100,
      min: 1,
      max: 10_000_000,
      label: 'Checkpoint every',
      unit: 'steps',
      help: 'Steps between checkpoints; stopping and the last step always write one.',
    }),
    keepCheckpoints: integer({
      default: 2,
      min: 1,
      max: 10_000,
      label: 'Keep checkpoints',
      help: 'The newest checkpoints kept beside the one with the best validation loss.',
    }),
  },
} as const;

type Fields = typeof fields;
export type GroupName = keyof Fields;
/** A complete, validated configuration. Obtain one with `resolveConfig`. */
export type RunConfig = {
  readonly [G in GroupName]: { readonly [K in keyof Fields[G]]: ValueOf<Fields[G][K]> };
};
export type ModelConfig = RunConfig['model'];
export type DataConfig = RunConfig['data'];
export type TrainingConfig = RunConfig['training'];
/** What a person writes: any subset of the fields; the rest takes its default. */
export type PartialConfig = { readonly [G in GroupName]?: Partial<RunConfig[G]> };
