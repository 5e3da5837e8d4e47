import assert from 'node:assert/strict';
import { test } from 'node:test';
import { presets } from '../../../core/contract/presets.ts';
import { resolveConfig } from '../../../core/contract/resolveConfig.ts';
import { nearestPreset } from './nearestPreset.ts';

test('a configuration is nearest to the preset that it was made from', () => {
  for (const { name, config } of presets) {
    const { model, training } = resolveConfig(config);
    const changed = resolveConfig({ model, training: { ...training, steps: 9, seed: 7 } });
    // The paper trained some configurations on several datasets.
    assert.deepEqual(resolveConfig(nearestPreset(changed).config).model, model, name);
  }
});
