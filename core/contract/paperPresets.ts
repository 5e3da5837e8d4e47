/**
 * The configurations of the SwitchHead paper with its training recipe: every line of table 9, and what
 * other tables show but table 9 does not list: the MoA baselines of table 1, the MAC-matched models of
 * tables 4 and 8, and the two-headed RoPE baselines of table 7.
 */
import type { ModelConfig, TrainingConfig } from './config.ts';
import type { Preset } from './presets.ts';

export const paperDatasets = ['c4', 'wikitext103', 'pes2o', 'enwik8'] as const;
export type PaperDataset = (typeof paperDatasets)[number];
export type PaperModel = 'Transformer' | 'SwitchHead' | 'SwitchAll' | 'MoA';

/** As their publishers write them. */
export const paperDatasetTitles: Readonly<Record<PaperDataset, string>> = {
  c4: 'C4',
  wikitext103: 'WikiText-103',
  pes2o: 'peS2o',
  enwik8: 'enwik8',
};

/** What the models of one size and one kind of positions share. */
interface Scale {
  readonly model: Pick<ModelConfig, 'width' | 'layers' | 'positions' | 'context' | 'dropout'>;
  readonly training: Pick<TrainingConfig, 'batch' | 'warmup' | 'clip'>;
}

const small = { width: 412, layers: 16, dropout: 0.1 } as const;
const large = { width: 1024, layers: 18, dropout: 0.2 } as const;
const smallTraining = { batch: 64, warmup: 0, clip: 0.1 } as const;
const largeTraining = { batch: 64, warmup: 4000, clip: 0.25 } as const;

const smallXl: Scale = {
  model: { ...small, positions: 'xl', context: 256 },
  training: smallTraining,
};
const largeXl: Scale = {
  model: { ...large, positions: 'xl', context: 512 },
  training: largeTraining,
};
const smallRope: Scale = {
  model: { ...small, positions: 'rope', context: 512 },
  training: smallTraining,
};
const largeRope: Scale = {
  model: { ...large, positions: 'rope', context: 1024 },
  training: largeTraining,
};
const charactersXl: Scale = {
  model: { width: 512, layers: 12, dropout: 0.1, positions: 'xl', context: 512 },
  training: { batch: 32, warmup: 0, clip: 0.25 },
};

/** One configuration on all datasets that it was trained on. Symbols are the paper's. */
interface Line {
  readonly family: PaperModel;
  /** Parameters as printed. */
  readonly size: string;
  readonly scale: Scale;
  readonly datasets: readonly PaperDataset[];
  readonly H: number;
  readonly P: number;
  /** d_ff as printed. */
  readonly ff: number;
  readonly E?: number;
  readonly k?: number;
  /** Where it is from and what is not as printed, for lines that are not simply of table 9. */
  readonly note?: string;
}

const texts = ['c4', 'wikitext103', 'pes2o'] as const;
const wikitext = ['wikitext103'] as const;
const others = ['c4', 'pes2o'] as const;
const characters = ['enwik8'] as const;

/** Table 9 up to SwitchAll. */
// prettier-ignore
const denseFeedForward: readonly Line[] = [
  { family: 'Transformer', size: '47M', scale: smallXl, datasets: texts, H: 10, P: 41, ff: 2053 },
  { family: 'Transformer', size: '47M', scale: smallXl, datasets: texts, H: 2, P: 205, ff: 2053 },
  { family: 'SwitchHead', size: '47M', scale: smallXl, datasets: others, H: 2, P: 76, ff: 2080, E: 5, k: 3 },
  { family: 'SwitchHead', size: '47M', scale: smallXl, datasets: wikitext, H: 2, P: 76, ff: 2080, E: 5, k: 2 },
  { family: 'Transformer', size: '262M', scale: largeXl, datasets: texts, H: 16, P: 64, ff: 4110 },
  { family: 'Transformer', size: '262M', scale: largeXl, datasets: others, H: 4, P: 256, ff: 4110 },
  { family: 'Transformer', size: '262M', scale: largeXl, datasets: wikitext, H: 2, P: 512, ff: 4110 },
  { family: 'SwitchHead', size: '262M', scale: largeXl, datasets: others, H: 4, P: 112, ff: 4188, E: 4, k: 2 },
  { family: 'SwitchHead', size: '262M', scale: largeXl, datasets: wikitext, H: 2, P: 132, ff: 4147, E: 8, k: 4 },
  { family: 'Transformer', size: '41M', scale: charactersXl, datasets: characters, H: 8, P: 64, ff: 2053 },
  { family: 'Transformer', size: '41M', scale: charactersXl, datasets: characters, H: 2, P: 256, ff: 2053 },
  { family: 'SwitchHead', size: '41M', scale: charactersXl, datasets: characters, H: 2, P: 112, ff: 2088, E: 4, k: 2 },
  { family: 'Transformer', size: '45M', scale: smallRope, datasets: wikitext, H: 10, P: 41, ff: 2053 },
  { family: 'SwitchHead', size: '45M', scale: smallRope, datasets: wikitext, H: 2, P: 64, ff: 2092, E: 5, k: 3 },
  { family: 'Transformer', size: '244M', scale: largeRope, datasets: wikitext, H: 16, P: 64, ff: 4110 },
  { family: 'SwitchHead', size: '243M', scale: largeRope, datasets: wikitext, H: 4, P: 100, ff: 4136, E: 4, k: 2 },
];

const sixteenExperts =
  'Feed-forward of 16 experts as in the authors’ run files; table 9 prints a d_ff of 1648.';

/** Table 9, SwitchAll. */
// prettier-ignore
const switchAll: readonly Line[] = [
  { family: 'SwitchAll', size: '47M', scale: smallXl, datasets: wikitext, H: 2, P: 76, ff: 1648, E: 5, k: 2, note: sixteenExperts },
  { family: 'SwitchAll', size: '47M', scale: smallXl, datasets: others, H: 2, P: 76, ff: 1648, E: 5, k: 3, note: sixteenExperts },
  { family: 'SwitchAll', size: '259M', scale: largeXl, datasets: texts, H: 4, P: 112, ff: 4096, E: 4, k: 2 },
];

const ropeOfXl =
  'Not in table 9: its two-headed Transformer-XL baseline with rotary positions, as in table 7.';

/** Tables 1, 4, 7 and 8. */
// prettier-ignore
const notInTable9: readonly Line[] = [
  { family: 'Transformer', size: '45M', scale: smallRope, datasets: wikitext, H: 2, P: 205, ff: 2053, note: ropeOfXl },
  { family: 'Transformer', size: '244M', scale: largeRope, datasets: wikitext, H: 2, P: 512, ff: 4110, note: ropeOfXl },
  ...[2, 4, 6, 8].map((H) => mixtureOfHeads(H, { size: '47M', scale: smallXl, P: 88, E: 10, ff: 2062 })),
  ...[2, 4, 8, 12].map((H) => mixtureOfHeads(H, { size: '262M', scale: largeXl, P: 146, E: 16, ff: 4108 })),
  macMatched({ size: '63M', scale: smallXl, H: 3, P: 112, ff: 2080, E: 5, k: 3 }),
  macMatched({ size: '376M', scale: largeXl, H: 6, P: 168, ff: 4188, E: 4, k: 2 }),
  macMatched({ size: '54M', scale: smallRope, H: 3, P: 84, ff: 2092, E: 5, k: 3 }),
  {
    ...macMatched({ size: '314M', scale: largeRope, H: 6, P: 168, ff: 4136, E: 4, k: 2 }),
    note: 'As the notes of table 9 print it, which has 356M parameters and 8.5G attention MACs a layer; a head width of 128 has the 6.4G of the baseline, and 311M.',
  },
];

function mixtureOfHeads(H: number, line: Omit<Line, 'family' | 'datasets' | 'H' | 'note'>): Line {
  return {
    ...{ family: 'MoA', datasets: wikitext, H, ...line },
    note: 'Table 1. Not printed: head width and experts (these give its MACs and memory), d_ff (this gives the parameters of the dense baseline), regularisers (none).',
  };
}

function macMatched(line: Omit<Line, 'family' | 'datasets' | 'note'>): Line {
  return {
    ...{ family: 'SwitchHead', datasets: ['c4'], ...line },
    note: 'Has the attention MACs of the dense baseline, not its parameters.',
  };
}

/**
 * Name of the preset of a configuration on a dataset, such as `switchhead-47m-xl-c4`. The heads are
 * named where they tell configurations apart: of MoA, and of baselines with only a few.
 * @param size parameters as the paper prints them, such as 47M
 */
export function paperPresetName(
  family: PaperModel,
  size: string,
  heads: number,
  positions: 'xl' | 'rope',
  dataset: PaperDataset,
): string {
  const isTold = family === 'MoA' || (family === 'Transformer' && heads < 8);
  const parts = [family, size, ...(isTold ? [`h${heads}`] : []), positions, dataset];
  return parts.join('-').toLowerCase();
}

/** What the paper trained with throughout. Our byte-pair encoding stands for its SentencePiece one. */
const recipe = {
  steps: 100_000,
  learningRate: 2.5e-4,
  finalLearningRateShare: 0,
  weightDecay: 0,
  beta1: 0.9,
  beta2: 0.999,
  evaluateEvery: 2000,
  checkpointEvery: 10_000,
} as const;

function paperPreset(line: Line, dataset: PaperDataset): Preset {
  const { family, size, scale, H } = line;
  const positions = scale.model.positions === 'xl' ? 'Transformer-XL' : 'rotary';
  const attention =
    line.E === undefined
      ? `${H} heads of ${line.P}`
      : family === 'MoA'
        ? `${H} of ${line.E} heads of ${line.P}`
        : `${H} heads of ${line.P}, ${line.E} experts each, ${line.k} active`;
  const clip = family === 'SwitchAll' ? 0.25 : scale.training.clip;
  return {
    name: paperPresetName(family, size, H, scale.model.positions, dataset),
    title: `${family} ${size}, ${H} heads, ${paperDatasetTitles[dataset]}`,
    description: [`${attention}; ${positions} positions.`, line.note].filter(Boolean).join(' '),
    group: 'paper',
    dataset,
    config: {
      model: { ...scale.model, ...attentionOf(line), ...feedForwardOf(line) },
      data: { tokenizer: dataset === 'enwik8' ? 'byte' : 'bpe:8000' },
      training: { ...recipe, ...scale.training, clip },
    },
  };
}

const attentions: Readonly<Record<PaperModel, ModelConfig['attention']>> = {
  Transformer: 'dense',
  SwitchHead: 'switchhead',
  SwitchAll: 'switchhead',
  MoA: 'moa',
};

function attentionOf({ family, H, P, E, k }: Line): Partial<ModelConfig> {
  return {
    ...{ attention: attentions[family], heads: H, headWidth: P },
    ...(E === undefined ? {} : { experts: E }),
    ...(k === undefined ? {} : { activeExperts: k }),
  };
}

/** SwitchAll's experts and regularisers are those of the authors' run files. */
function feedForwardOf({ family, size, ff }: Line): Partial<ModelConfig> {
  if (family !== 'SwitchAll') return { feedForward: 'dense', feedForwardWidth: ff };
  const experts = { feedForwardExpertWidth: 128, feedForwardActiveExperts: 4 };
  return size === '47M'
    ? { feedForward: 'sigma-moe', feedForwardExperts: 16, ...experts, entropyLoss: 1e-4 }
    : {
        ...{ feedForward: 'sigma-moe', feedForwardExperts: 32, ...experts },
        ...{ entropyLoss: 1e-3, feedForwardExpertDropout: 0.1 },
      };
}

/** All of them, dataset by dataset. */
export const paperPresets: readonly Preset[] = paperDatasets.flatMap((dataset) =>
  [...denseFeedForward, ...switchAll, ...notInTable9]
    .filter(({ datasets }) => datasets.includes(dataset))
    .map((line) => paperPreset(line, dataset)),
);
