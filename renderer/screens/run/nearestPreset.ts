import type { RunConfig } from '../../../core/contract/config.ts';
import { presets, type Preset } from '../../../core/contract/presets.ts';
import { resolveConfig } from '../../../core/contract/resolveConfig.ts';
import { differences } from '../new/configuration.ts';

/** The preset from which a configuration differs in the fewest fields; the first of equal ones. */
export function nearestPreset(config: RunConfig): Preset {
  const distances = presets.map((preset) => ({
    preset,
    distance: Object.keys(differences(resolveConfig(preset.config), config)).length,
  }));
  return distances.reduce((nearest, each) => (each.distance < nearest.distance ? each : nearest))
    .preset;
}
