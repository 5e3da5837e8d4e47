import { choice, integer, number, text, type ValueOf } from './fields.ts';

/**
 * Every field of a run's configuration, declared once. Symbols in labels are those of the paper:
 * T tokens, D model width, H heads, P head width, E experts per head, k active experts.
 */
export const fields = {
  model: {
    attention: choice({
      default: 'switchhead',
      choices: ['dense', 'switchhead'],
      label: 'Attention',
      help: 'dense: standard multi-head attention. switchhead: few heads, each with several experts for the value and output projections.',
    }),
    positions: choice({
      default: 'rope',
      choices: ['rope'],
      label: 'Positions',
      help: 'rope: rotary positions on the first half of every head (the first floor(P/2) channels).',
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
      label: 'Attention experts per head (E)',
      help: 'Value and output experts of every head. One expert is a dense head with an output gate.',
      when: { attention: ['switchhead'] },
    }),
    activeExperts: integer({
      default: 2,
      min: 1,
      max: 256,
      label: 'Active attention experts (k)',
      help: 'Experts chosen per head and token, on either side.',
      when: { attention: ['switchhead'] },
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
    dropout: number({
      default: 0,
      min: 0,
      max: 0.95,
      label: 'Dropout',
      help: 'Share of activations set to zero in training: after the embedding, attention, feed-forward and the last normalisation, and inside the feed-forward.',
    }),
  },
  data: {
    tokenizer: text({
      default: 'byte',
      // N from 256 to 30000.
      pattern: '^(byte|bpe:(25[6-9]|2[6-9][0-9]|[3-9][0-9]{2}|[1-9][0-9]{3}|[12][0-9]{4}|30000))$',
      patternHelp:
        '"byte", or "bpe:N" with a vocabulary size N from 256 to 30000, such as bpe:8000',
      label: 'Tokenizer',
      help: 'How a text file becomes tokens: byte (256 values), or bpe:N, a byte-pair encoding of N entries trained on the file.',
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
      help: 'Batches in one validation, spread evenly over the validation text; 0 takes all of it.',
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
