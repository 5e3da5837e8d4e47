import assert from 'node:assert/strict';
import { test } from 'node:test';
import { architecture, familyName } from './architecture.ts';
import { presets } from './presets.ts';
import { resolveConfig } from './resolveConfig.ts';

void test('a model has few words', () => {
  assert.equal(architecture(resolveConfig({}).model), 'SwitchHead H2 E4 k2');
  const dense = resolveConfig({ model: { attention: 'dense', feedForward: 'sigma-moe' } });
  assert.equal(architecture(dense.model), 'dense H2, σ-MoE');
});

void test('a run without a name is called after its preset while its model is that one', () => {
  for (const { name, config } of presets)
    assert.equal(familyName(resolveConfig(config).model), name);
});

void test('with another model it is called after the kind of model', () => {
  const named = (attention: 'dense' | 'switchhead', feedForward: 'dense' | 'sigma-moe'): string =>
    familyName(resolveConfig({ model: { attention, feedForward, layers: 5 } }).model);
  assert.equal(named('dense', 'dense'), 'dense');
  assert.equal(named('switchhead', 'dense'), 'switchhead');
  assert.equal(named('switchhead', 'sigma-moe'), 'switchall');
  assert.equal(named('dense', 'sigma-moe'), 'dense-sigma-moe');
});
