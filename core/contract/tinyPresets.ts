import type { Preset } from './presets.ts';

const tinyTraining = {
  steps: 600,
  batch: 16,
  learningRate: 3e-3,
  warmup: 50,
  finalLearningRateShare: 0.1,
  clip: 1,
} as const;

const tinyShape = { context: 128, layers: 4, width: 128 } as const;
const tinyXl = { ...tinyShape, positions: 'xl', memoryChunks: 1 } as const;

const denseHeads = { attention: 'dense', heads: 8, headWidth: 16 } as const;
const denseFeedForward = { feedForward: 'dense', feedForwardWidth: 512 } as const;
const mixedFeedForward = {
  feedForward: 'sigma-moe',
  feedForwardExperts: 8,
  feedForwardExpertWidth: 64,
  feedForwardActiveExperts: 2,
} as const;

const switchHead = { attention: 'switchhead', heads: 2, experts: 4, activeExperts: 2 } as const;
const tinySwitchHead = { ...tinyShape, ...switchHead, headWidth: 24 } as const;
const tinySwitchHeadXl = { ...tinyXl, ...switchHead, headWidth: 28 } as const;

/** On bytes, with rotary positions: a dense baseline, SwitchHead and SwitchAll. */
const rotary: readonly Omit<Preset, 'group'>[] = [
  {
    name: 'tiny-dense',
    title: 'Tiny dense',
    description: 'Dense attention, 8 heads of 16; the baseline of the tiny family.',
    config: { model: { ...tinyShape, ...denseHeads, ...denseFeedForward }, training: tinyTraining },
  },
  {
    name: 'tiny-switchhead',
    title: 'Tiny SwitchHead',
    description:
      'Two heads of 24 with 4 value and output experts each, 2 active: a quarter of the attention matrices at equal parameters.',
    config: { model: { ...tinySwitchHead, ...denseFeedForward }, training: tinyTraining },
  },
  {
    name: 'tiny-switchall',
    title: 'Tiny SwitchAll',
    description:
      'SwitchHead attention and a sigma-MoE feed-forward of 8 experts of 64, 2 active, at equal parameters.',
    config: { model: { ...tinySwitchHead, ...mixedFeedForward }, training: tinyTraining },
  },
];

/** The same with relative positions and one cached chunk, and MoA. */
const transformerXl: readonly Omit<Preset, 'group'>[] = [
  {
    name: 'tiny-dense-xl',
    title: 'Tiny dense XL',
    description: 'Transformer-XL: 8 dense heads of 16, the chunk before kept as memory.',
    config: { model: { ...tinyXl, ...denseHeads, ...denseFeedForward }, training: tinyTraining },
  },
  {
    name: 'tiny-switchhead-xl',
    title: 'Tiny SwitchHead XL',
    description: 'Two heads of 28 with 4 experts each, 2 active, on Transformer-XL positions.',
    config: { model: { ...tinySwitchHeadXl, ...denseFeedForward }, training: tinyTraining },
  },
  {
    name: 'tiny-moa-xl',
    title: 'Tiny MoA XL',
    description:
      'Mixture of attention heads: 4 of 8 heads of 33 a token, on shared keys and values.',
    config: {
      model: {
        ...tinyXl,
        ...{ attention: 'moa', heads: 4, headWidth: 33, experts: 8 },
        ...denseFeedForward,
      },
      training: tinyTraining,
    },
  },
  {
    name: 'tiny-switchall-xl',
    title: 'Tiny SwitchAll XL',
    description: 'SwitchHead XL with a sigma-MoE feed-forward of 8 experts of 64, 2 active.',
    config: { model: { ...tinySwitchHeadXl, ...mixedFeedForward }, training: tinyTraining },
  },
];

const listopsShape = { ...tinyShape, task: 'classification', layers: 6 } as const;

const listopsTraining = {
  ...tinyTraining,
  ...{ steps: 5000, batch: 32, learningRate: 1e-3, warmup: 200, evaluateEvery: 250 },
} as const;

/** The paper's analysis on ListOps (its section 4), made small: for datasets of expressions. */
const listops: readonly Omit<Preset, 'group'>[] = [
  {
    name: 'tiny-listops-dense-8',
    title: 'Tiny ListOps, 8 dense heads',
    description: 'Values of ListOps expressions by 8 dense heads of 16.',
    config: {
      model: { ...listopsShape, ...denseHeads, ...denseFeedForward },
      training: listopsTraining,
    },
  },
  {
    name: 'tiny-listops-dense-2',
    title: 'Tiny ListOps, 2 dense heads',
    description: 'Two dense heads of 64: as many parameters, a quarter of the attention matrices.',
    config: {
      model: { ...listopsShape, ...denseHeads, heads: 2, headWidth: 64, ...denseFeedForward },
      training: listopsTraining,
    },
  },
  {
    name: 'tiny-listops-switchhead',
    title: 'Tiny ListOps, SwitchHead',
    description: 'Two heads of 24 with 4 experts each, 2 active, at equal parameters.',
    config: {
      model: {
        ...{ ...listopsShape, ...switchHead, headWidth: 24 },
        ...denseFeedForward,
        feedForwardWidth: 520,
      },
      training: listopsTraining,
    },
  },
];

/**
 * Models that train in minutes on a laptop. Those of one kind, rotary, Transformer-XL and ListOps, have
 * equal parameters within 1 %.
 */
export const tinyPresets: readonly Preset[] = [...rotary, ...transformerXl, ...listops].map(
  (preset) => ({ ...preset, group: 'tiny' }),
);
