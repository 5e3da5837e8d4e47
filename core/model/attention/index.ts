import type { ModelConfig } from '../../contract/config.ts';
import type { AttentionFamily } from './attend.ts';
import { dense } from './dense.ts';
import { mixtureOfHeads } from './mixtureOfHeads.ts';
import { switchHead } from './switchHead.ts';

export type { AttentionFamily, AttentionSides } from './attend.ts';

/** The attention families by name. All are without projection biases. */
export const attentionFamilies: Readonly<Record<ModelConfig['attention'], AttentionFamily>> = {
  dense,
  switchhead: switchHead,
  moa: mixtureOfHeads,
};
