/**
 * What the SwitchHead paper printed, to stand beside one's own runs. Everything here is published, none
 * of it was measured with Switchyard; perplexities are on the paper's data and tokenizers.
 */
import { paperPresetName, type PaperDataset, type PaperModel } from './paperPresets.ts';

export const paperSource =
  'Csordás, Piękos, Irie, Schmidhuber: SwitchHead, NeurIPS 2024, arXiv:2312.07987v3';

/** A row of tables 1, 2, 3 and 7: a trained model, how good it was and what its attention costs. */
export interface PublishedPoint {
  readonly table: 1 | 2 | 3 | 7;
  readonly dataset: PaperDataset;
  /** Number of parameters in the precision that it was printed in: whole millions. */
  readonly parameters: number;
  readonly model: PaperModel;
  readonly heads: number;
  readonly metric: 'perplexity' | 'bits-per-character';
  /** The metric as printed. */
  readonly value: number;
  /** The cross-entropy in nats per token, or per character, that the metric means. */
  readonly loss: number;
  /** Multiply-accumulates of one attention layer on one sequence, as printed. */
  readonly macs: number;
  /** Floats that one attention layer keeps of one sequence, as printed. */
  readonly floats: number;
  /** Name of the preset that has this configuration. */
  readonly preset: string;
  /** Whether table 9 has no line of its own for it, so that the preset is made from the nearest one. */
  readonly nearest: boolean;
  /** Why the line is another one, or why the printed cost is not that of the preset. */
  readonly note?: string;
}

/** A row as printed: data, parameters in millions, model, heads, metric, MACs and floats in millions. */
type Row = readonly [PaperDataset, number, PaperModel, number, number, number, number];

/** MoA and others on WikiText-103. */
const table1: readonly Row[] = [
  ['wikitext103', 47, 'SwitchHead', 2, 12.27, 170.4, 0.8],
  ['wikitext103', 47, 'Transformer', 10, 12.31, 453.4, 3.5],
  ['wikitext103', 47, 'MoA', 4, 12.6, 223.5, 1.3],
  ['wikitext103', 47, 'MoA', 6, 12.64, 306.8, 1.9],
  ['wikitext103', 47, 'MoA', 8, 12.77, 390.2, 2.6],
  ['wikitext103', 47, 'MoA', 2, 12.84, 140.1, 0.7],
  ['wikitext103', 262, 'MoA', 8, 9.5, 2900, 9.9],
  ['wikitext103', 262, 'SwitchHead', 2, 9.55, 2000, 2.9],
  ['wikitext103', 262, 'Transformer', 16, 9.66, 5400, 21],
  ['wikitext103', 262, 'MoA', 12, 9.68, 4100, 14.7],
  ['wikitext103', 262, 'MoA', 4, 9.69, 1700, 5.1],
  ['wikitext103', 262, 'MoA', 2, 9.87, 1100, 2.7],
];

/** SwitchHead and dense baselines on four datasets. */
const table2: readonly Row[] = [
  ['c4', 47, 'SwitchHead', 2, 22.53, 203, 0.8],
  ['c4', 47, 'Transformer', 10, 22.71, 453, 3.5],
  ['c4', 47, 'Transformer', 2, 23.71, 453, 1.4],
  ['c4', 262, 'SwitchHead', 4, 16.23, 2400, 5.6],
  ['c4', 262, 'Transformer', 16, 16.28, 5400, 21],
  ['c4', 262, 'Transformer', 4, 17.09, 5400, 8.4],
  ['wikitext103', 47, 'SwitchHead', 2, 12.31, 170, 0.8],
  ['wikitext103', 47, 'Transformer', 10, 12.32, 453, 3.5],
  ['wikitext103', 47, 'Transformer', 2, 12.73, 453, 1.4],
  ['wikitext103', 262, 'SwitchHead', 2, 9.77, 2000, 2.9],
  ['wikitext103', 262, 'Transformer', 16, 9.8, 5400, 21],
  ['wikitext103', 262, 'Transformer', 2, 10.09, 5400, 6.3],
  ['pes2o', 47, 'Transformer', 10, 12.83, 453, 3.5],
  ['pes2o', 47, 'SwitchHead', 2, 12.84, 203, 0.8],
  ['pes2o', 47, 'Transformer', 2, 13.37, 453, 1.4],
  ['pes2o', 262, 'Transformer', 16, 9.78, 5400, 21],
  ['pes2o', 262, 'SwitchHead', 4, 9.86, 2400, 5.6],
  ['pes2o', 262, 'Transformer', 4, 10.11, 5400, 8.4],
  ['enwik8', 41, 'Transformer', 8, 1.1, 1600, 10],
  ['enwik8', 41, 'SwitchHead', 2, 1.1, 709, 2.8],
  ['enwik8', 41, 'Transformer', 2, 1.13, 1600, 4.2],
];

/** SwitchAll and dense baselines. */
const table3: readonly Row[] = [
  ['wikitext103', 47, 'SwitchAll', 2, 12.17, 170, 0.8],
  ['wikitext103', 47, 'Transformer', 10, 12.32, 453, 3.5],
  ['wikitext103', 262, 'Transformer', 16, 9.8, 5400, 21],
  ['wikitext103', 262, 'SwitchAll', 4, 9.81, 2400, 5.6],
  ['c4', 47, 'SwitchAll', 2, 22.09, 202, 0.8],
  ['c4', 47, 'Transformer', 10, 22.63, 453, 3.5],
  ['c4', 262, 'SwitchAll', 4, 16.45, 2400, 5.6],
  ['c4', 262, 'Transformer', 16, 16.58, 5400, 21],
  ['pes2o', 47, 'SwitchAll', 2, 12.56, 202, 0.8],
  ['pes2o', 47, 'Transformer', 10, 12.83, 453, 3.5],
  ['pes2o', 262, 'Transformer', 16, 9.78, 5400, 21],
  ['pes2o', 262, 'SwitchAll', 4, 9.86, 2400, 5.6],
];

/** Rotary positions. */
const table7: readonly Row[] = [
  ['wikitext103', 45, 'SwitchHead', 2, 12.75, 285.6, 1.3],
  ['wikitext103', 45, 'Transformer', 10, 12.78, 560.9, 6.1],
  ['wikitext103', 45, 'Transformer', 2, 12.96, 560.9, 1.9],
  ['wikitext103', 244, 'SwitchHead', 4, 10, 4200, 18.4],
  ['wikitext103', 244, 'Transformer', 16, 10.17, 6400, 37.7],
  ['wikitext103', 244, 'Transformer', 2, 10.26, 6400, 8.4],
  ['c4', 45, 'SwitchHead', 2, 23.69, 285.6, 1.3],
  ['c4', 45, 'Transformer', 10, 23.79, 560.9, 6.1],
  ['c4', 244, 'SwitchHead', 4, 16.41, 4200, 18.4],
  ['c4', 244, 'Transformer', 16, 16.35, 6400, 37.7],
];

/** All rows of tables 1, 2, 3 and 7. */
export const publishedPoints: readonly PublishedPoint[] = [
  ...table1.map((row) => published(1, row)),
  ...table2.map((row) => published(2, row)),
  ...table3.map((row) => published(3, row)),
  ...table7.map((row) => published(7, row)),
];

function published(table: PublishedPoint['table'], row: Row): PublishedPoint {
  const [dataset, millions, model, heads, value, macs, floats] = row;
  const isCharacters = dataset === 'enwik8';
  return {
    ...{ table, dataset, parameters: millions * 1e6, model, heads, value },
    metric: isCharacters ? 'bits-per-character' : 'perplexity',
    loss: isCharacters ? value * Math.LN2 : Math.log(value),
    // Whole numbers: 453.4 · 1e6 is not one in floating point.
    macs: Math.round(macs * 1e6),
    floats: Math.round(floats * 1e6),
    ...configurationOf(table, row),
  };
}

/** Which line of table 9 a row shows, and what is to be said where that is not plain. */
function configurationOf(
  table: PublishedPoint['table'],
  [dataset, millions, model, heads]: Row,
): Pick<PublishedPoint, 'preset' | 'nearest' | 'note'> {
  const name = (size: string, positions: 'xl' | 'rope', on = dataset): string =>
    paperPresetName(model, size, heads, positions, on);
  const size = `${millions}M`;
  if (table !== 7) {
    if (model === 'MoA')
      return {
        ...{ preset: name(size, 'xl'), nearest: true },
        note: 'Table 9 has no MoA: the head width and the number of experts were found from the printed cost.',
      };
    if (model === 'SwitchAll' && millions === 262)
      return {
        ...{ preset: name('259M', 'xl'), nearest: true },
        note: 'Table 9 lists this configuration with 259M parameters.',
      };
    return { preset: name(size, 'xl'), nearest: false };
  }
  const notes: string[] = [];
  if (dataset === 'c4') notes.push('Table 9 lists rotary models on WikiText-103 only.');
  if (model === 'Transformer' && heads === 2)
    notes.push(
      'Table 9 has no two-headed baseline with rotary positions: the one with Transformer-XL positions.',
    );
  const nearest = notes.length > 0;
  const isLargeSwitchHead = model === 'SwitchHead' && millions === 244;
  if (isLargeSwitchHead)
    notes.push(
      'The printed MACs and memory are those of 8 heads of 50 with 3 active experts, not of the configuration that table 9 prints, with 243M parameters.',
    );
  return {
    preset: name(isLargeSwitchHead ? '243M' : size, 'rope', 'wikitext103'),
    nearest,
    ...(notes.length > 0 ? { note: notes.join(' ') } : {}),
  };
}

/** A row of table 5: a training step as measured by the authors. */
export interface PublishedWallClock {
  readonly parameters: number;
  readonly model: PaperModel;
  readonly millisecondsPerStep: number;
  /** Peak memory of a GPU, in GiB. */
  readonly gibibytes: number;
  /** Relative to the Transformer of the same size, as printed. */
  readonly relativeTime: number;
  readonly relativeMemory: number;
  readonly hardware: string;
}

/** Table 5. The number of MoA's heads is not printed. */
export const publishedWallClock: readonly PublishedWallClock[] = (
  [
    [47, 'Transformer', 473, 1, 20.5, 1, '1x RTX 3090'],
    [47, 'SwitchHead', 342, 0.72, 13.5, 0.65, '1x RTX 3090'],
    [47, 'MoA', 412, 0.87, 15.3, 0.75, '1x RTX 3090'],
    [262, 'Transformer', 670, 1, 20.5, 1, '8x V100'],
    [262, 'SwitchHead', 442, 0.65, 12.5, 0.61, '8x V100'],
    [262, 'MoA', 851, 1.27, 16.4, 0.8, '8x V100'],
  ] as const
).map(
  ([millions, model, millisecondsPerStep, relativeTime, gibibytes, relativeMemory, hardware]) => ({
    ...{ parameters: millions * 1e6, model, millisecondsPerStep },
    ...{ relativeTime, gibibytes, relativeMemory, hardware },
  }),
);

/** A row of tables 4 (Transformer-XL) and 8 (rotary): zero-shot accuracy of a model trained on C4. */
export interface PublishedZeroShot {
  readonly table: 4 | 8;
  readonly parameters: number;
  readonly model: PaperModel;
  /** How it differs from the parameter-matched model of its name. */
  readonly variant: 'plain' | 'mac-matched' | 'shared-selection';
  readonly perplexity: number;
  /** Accuracies in percent. The Children's Book Test is printed for the large models only. */
  readonly lambada: number;
  readonly blimp: number;
  readonly childrensBook: number | null;
}

/** Tables 4 and 8. */
export const publishedZeroShot: readonly PublishedZeroShot[] = (
  [
    [4, 47, 'SwitchHead', 'plain', 22.53, 20.4, 75.7, null],
    [4, 47, 'Transformer', 'plain', 22.71, 20.4, 73.6, null],
    [4, 63, 'SwitchHead', 'mac-matched', 21.18, 23.5, 77.1, null],
    [4, 47, 'SwitchHead', 'shared-selection', 22.81, 20, 74.6, null],
    [4, 262, 'SwitchHead', 'plain', 16.23, 29.4, 79.6, 83.3],
    [4, 262, 'Transformer', 'plain', 16.28, 28.2, 76.1, 83.6],
    [4, 376, 'SwitchHead', 'mac-matched', 15.43, 30.2, 79.4, 84.2],
    [4, 262, 'SwitchHead', 'shared-selection', 16.49, 28.6, 79.4, 82.7],
    [8, 45, 'SwitchHead', 'plain', 23.69, 20.9, 77.3, null],
    [8, 45, 'Transformer', 'plain', 23.76, 20.3, 73.8, null],
    [8, 54, 'SwitchHead', 'mac-matched', 22.18, 22.6, 77.4, null],
    [8, 45, 'SwitchHead', 'shared-selection', 23.63, 20.3, 76, null],
    [8, 243, 'SwitchHead', 'plain', 16.41, 30.5, 79.9, 83.8],
    [8, 243, 'Transformer', 'plain', 16.35, 29.8, 76.1, 83.9],
    [8, 314, 'SwitchHead', 'mac-matched', 15.63, 30.5, 80.5, 84.6],
    [8, 243, 'SwitchHead', 'shared-selection', 16.59, 28.1, 79.1, 83.7],
  ] as const
).map(([table, millions, model, variant, perplexity, lambada, blimp, childrensBook]) => ({
  ...{ table, parameters: millions * 1e6, model, variant },
  ...{ perplexity, lambada, blimp, childrensBook },
}));
