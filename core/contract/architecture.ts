/** A model in a few words: for tables, and for the name of a run that was given none. */
import type { ModelConfig } from './config.ts';
import { presets } from './presets.ts';
import { resolveConfig } from './resolveConfig.ts';

/**
 * `dense H8`, `SwitchHead H2 E4 k2`, `SwitchAll XL H2 E4 k2`, `MoA XL H4/10`, `dense H8, σ-MoE`. What
 * is usual stays unsaid: rotary positions, experts for V and O, a selection for either side.
 */
export function architecture(model: ModelConfig): string {
  const { attention, feedForward, positions, heads, experts } = model;
  const isMixed = feedForward === 'sigma-moe';
  const xl = positions === 'xl' ? ' XL' : '';
  if (attention === 'switchhead')
    return `${isMixed ? 'SwitchAll' : 'SwitchHead'}${xl} H${heads} ${expertsOf(model)}`;
  const name = attention === 'dense' ? `dense${xl} H${heads}` : `MoA${xl} H${heads}/${experts}`;
  return isMixed ? `${name}, σ-MoE` : name;
}

function expertsOf({ experts, activeExperts, expertProjections, selection }: ModelConfig): string {
  const projections = expertProjections === 'vo' ? '' : ` ${expertProjections.toUpperCase()}`;
  const shared = selection === 'shared' ? ' shared' : '';
  return `E${experts} k${activeExperts}${projections}${shared}`;
}

/**
 * What a run is called before it has a name of its own: the preset that has this model, without the
 * dataset where the name has one, else the name of its kind. The core adds a hyphen and the end of the
 * run's id.
 */
export function familyName(model: ModelConfig): string {
  const preset = presets.find(({ config }) => isSame(resolveConfig(config).model, model));
  if (preset !== undefined) return preset.name.replace(`-${preset.dataset}`, '');
  const xl = model.positions === 'xl' ? '-xl' : '';
  if (model.feedForward !== 'sigma-moe') return `${model.attention}${xl}`;
  return model.attention === 'switchhead' ? `switchall${xl}` : `${model.attention}-sigma-moe${xl}`;
}

const isSame = (a: ModelConfig, b: ModelConfig): boolean =>
  (Object.keys(a) as (keyof ModelConfig)[]).every((key) => a[key] === b[key]);
