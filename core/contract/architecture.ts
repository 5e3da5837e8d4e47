/** A model in a few words: for tables, and for the name of a run that was given none. */
import type { ModelConfig } from './config.ts';
import { presets } from './presets.ts';
import { resolveConfig } from './resolveConfig.ts';

/** `dense H8`, `SwitchHead H2 E4 k2`, `SwitchAll H2 E4 k2`, `dense H8, σ-MoE`. */
export function architecture(model: ModelConfig): string {
  const { attention, feedForward, heads, experts, activeExperts } = model;
  if (attention === 'dense')
    return feedForward === 'dense' ? `dense H${heads}` : `dense H${heads}, σ-MoE`;
  const name = feedForward === 'dense' ? 'SwitchHead' : 'SwitchAll';
  return `${name} H${heads} E${experts} k${activeExperts}`;
}

/**
 * What a run is called before it has a name of its own: the preset that has this model, else the name
 * of its kind. The core adds a hyphen and the end of the run's id.
 */
export function familyName(model: ModelConfig): string {
  const preset = presets.find(({ config }) => isSame(resolveConfig(config).model, model));
  if (preset !== undefined) return preset.name;
  if (model.feedForward !== 'sigma-moe') return model.attention;
  return model.attention === 'switchhead' ? 'switchall' : `${model.attention}-sigma-moe`;
}

const isSame = (a: ModelConfig, b: ModelConfig): boolean =>
  (Object.keys(a) as (keyof ModelConfig)[]).every((key) => a[key] === b[key]);
