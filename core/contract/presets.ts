import type { PartialConfig } from './config.ts';

export interface Preset {
  name: string;
  title: string;
  description: string;
  config: PartialConfig;
}

const tinyTraining = {
  steps: 600,
  batch: 16,
  learningRate: 3e-3,
  warmup: 50,
  finalLearningRateShare: 0.1,
  clip: 1,
} as const;

const tinyShape = { context: 128, layers: 4, width: 128 } as const;

const tinySwitchHead = {
  ...tinyShape,
  attention: 'switchhead',
  heads: 2,
  headWidth: 24,
  experts: 4,
  activeExperts: 2,
} as const;

/**
 * Ready-made configurations. The tiny ones have equal parameters (within 1 %) and train in minutes on
 * a laptop: a dense baseline, SwitchHead, and SwitchAll, on bytes.
 */
export const presets: readonly Preset[] = [
  {
    name: 'tiny-dense',
    title: 'Tiny dense',
    description: 'Dense attention, 8 heads of 16; the baseline of the tiny family.',
    config: {
      model: {
        ...tinyShape,
        attention: 'dense',
        heads: 8,
        headWidth: 16,
        feedForward: 'dense',
        feedForwardWidth: 512,
      },
      training: tinyTraining,
    },
  },
  {
    name: 'tiny-switchhead',
    title: 'Tiny SwitchHead',
    description:
      'Two heads of 24 with 4 value and output experts each, 2 active: a quarter of the attention matrices at equal parameters.',
    config: {
      model: {
        ...tinySwitchHead,
        feedForward: 'dense',
        feedForwardWidth: 512,
      },
      training: tinyTraining,
    },
  },
  {
    name: 'tiny-switchall',
    title: 'Tiny SwitchAll',
    description:
      'SwitchHead attention and a sigma-MoE feed-forward of 8 experts of 64, 2 active, at equal parameters.',
    config: {
      model: {
        ...tinySwitchHead,
        feedForward: 'sigma-moe',
        feedForwardExperts: 8,
        feedForwardExpertWidth: 64,
        feedForwardActiveExperts: 2,
      },
      training: tinyTraining,
    },
  },
];
