import type { PartialConfig } from './config.ts';
import { paperPresets, type PaperDataset } from './paperPresets.ts';
import { tinyPresets } from './tinyPresets.ts';

export interface Preset {
  name: string;
  title: string;
  description: string;
  /** tiny: trains in minutes on a laptop. paper: as published, days on a GPU. */
  group: 'tiny' | 'paper';
  /** What the paper trained it on; the tiny ones take any text, or ListOps data. */
  dataset?: PaperDataset;
  config: PartialConfig;
}

/** Ready-made configurations, the tiny ones first, the paper's by dataset. */
export const presets: readonly Preset[] = [...tinyPresets, ...paperPresets];
