import assert from 'node:assert/strict';
import { test } from 'node:test';
import { architecture, familyName } from './architecture.ts';
import type { PartialConfig } from './config.ts';
import { presets } from './presets.ts';
import { resolveConfig } from './resolveConfig.ts';

void test('a model has few words', () => {
  const wordsFor = (model: PartialConfig['model']): string =>
    architecture(resolveConfig({ model }).model);
  assert.equal(wordsFor({}), 'SwitchHead H2 E4 k2');
  assert.equal(wordsFor({ attention: 'dense', feedForward: 'sigma-moe' }), 'dense H2, σ-MoE');
  assert.equal(wordsFor({ attention: 'dense', positions: 'xl', heads: 10 }), 'dense XL H10');
  assert.equal(wordsFor({ feedForward: 'sigma-moe', positions: 'xl' }), 'SwitchAll XL H2 E4 k2');
  assert.equal(
    wordsFor({ attention: 'moa', positions: 'xl', heads: 4, experts: 10 }),
    'MoA XL H4/10',
  );
  assert.equal(
    wordsFor({ expertProjections: 'qkvo', selection: 'shared' }),
    'SwitchHead H2 E4 k2 QKVO shared',
  );
});

void test('a run without a name is called after its preset while its model is that one', () => {
  for (const { name, dataset, config } of presets) {
    const expected = dataset === undefined ? name : name.slice(0, -dataset.length - 1);
    assert.equal(familyName(resolveConfig(config).model), expected);
  }
});

void test('with another model it is called after the kind of model', () => {
  const named = (model: PartialConfig['model']): string =>
    familyName(resolveConfig({ model: { ...model, layers: 5 } }).model);
  assert.equal(named({ attention: 'dense' }), 'dense');
  assert.equal(named({}), 'switchhead');
  assert.equal(named({ feedForward: 'sigma-moe' }), 'switchall');
  assert.equal(named({ attention: 'dense', feedForward: 'sigma-moe' }), 'dense-sigma-moe');
  assert.equal(named({ attention: 'moa', positions: 'xl' }), 'moa-xl');
  assert.equal(named({ feedForward: 'sigma-moe', positions: 'xl' }), 'switchall-xl');
});
