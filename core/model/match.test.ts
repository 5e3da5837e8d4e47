import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModelConfig, RunConfig } from '../contract/config.ts';
import { presets } from '../contract/presets.ts';
import { resolveConfig } from '../contract/resolveConfig.ts';
import { matchModel, type MatchRequest } from './match.ts';
import { countParameters } from './resources.ts';

const vocabulary = 8000;

function presetConfig(name: string): RunConfig {
  const preset = presets.find((each) => each.name === name);
  assert.ok(preset, name);
  return resolveConfig(preset.config);
}

const small = presetConfig('transformer-47m-xl-c4');
const match = (request: Partial<MatchRequest>) =>
  matchModel({ baseline: small, vocabulary, family: 'switchhead', by: 'parameters', ...request });

const parametersOf = (model: ModelConfig): number => countParameters(model, vocabulary).total;

void test('SwitchHead with the parameters of a dense Transformer-XL', () => {
  const { config, unmatched, resources, baseline, notes } = match({});
  const { attention, heads, experts, activeExperts, headWidth, feedForwardWidth } = config.model;
  assert.deepEqual([attention, heads, experts, activeExperts], ['switchhead', 2, 5, 2]);
  // By hand: P·D·(4 + 20 + 2) + 20·D parameters are the baseline's 5·410·D + 821 at P = 78.15.
  assert.deepEqual([headWidth, feedForwardWidth], [78, 2055]);
  assert.equal(unmatched.parameters, resources.parameters.total - baseline.parameters.total);
  assert.equal(unmatched.macs, resources.layer.attention.macs - baseline.layer.attention.macs);
  assert.ok(notes.some((note) => /fewer attention MACs a layer/u.test(note)));
  assert.ok(notes.some((note) => note.endsWith('k = 3, 4; then H = 4, k = 2.')));
  assert.deepEqual([config.data, config.training], [small.data, small.training]);
});

void test('no other width of the feed-forward comes closer', () => {
  const target = parametersOf(small.model);
  const { model } = match({}).config;
  const distance = (feedForwardWidth: number): number =>
    Math.abs(parametersOf({ ...model, feedForwardWidth }) - target);
  const best = distance(model.feedForwardWidth);
  for (const step of [-2, -1, 1, 2]) assert.ok(distance(model.feedForwardWidth + step) > best);
});

void test('rotary positions get a head width that they can rotate', () => {
  for (const name of ['transformer-45m-rope-wikitext103', 'transformer-244m-rope-wikitext103']) {
    const baseline = presetConfig(name);
    for (const heads of [1, 2, 3, 4])
      for (const by of ['parameters', 'macs'] as const) {
        const { headWidth } = match({ baseline, heads, by }).config.model;
        assert.equal(Math.floor(headWidth / 2) % 2, 0);
      }
  }
});

void test('SwitchAll of the small model has the paper’s 16 experts of 128, 4 active', () => {
  const { config, unmatched, baseline } = match({ family: 'switchall' });
  const { feedForward, feedForwardExperts, feedForwardExpertWidth } = config.model;
  assert.deepEqual(
    [feedForward, feedForwardExperts, feedForwardExpertWidth],
    ['sigma-moe', 16, 128],
  );
  assert.equal(config.model.feedForwardActiveExperts, 4);
  assert.ok(Math.abs(unmatched.parameters) < 0.003 * baseline.parameters.total);
});

void test('MoA has as many experts as the baseline has heads, and the heads that were asked for', () => {
  const { config, unmatched } = match({ family: 'moa', heads: 4 });
  const { attention, heads, experts } = config.model;
  assert.deepEqual([attention, heads, experts], ['moa', 4, 10]);
  assert.ok(Math.abs(unmatched.parameters) <= (16 * 825) / 2);
});

void test('MAC matches have the heads that the paper chose, and nearly its head widths', () => {
  // H and P as the notes of table 9 print them; of the last one P misprinted, as its MACs tell.
  const printed = [
    { name: 'transformer-47m-xl-c4', activeExperts: 3, heads: 2, to: 3, width: 112 },
    { name: 'transformer-262m-xl-c4', activeExperts: 2, heads: 4, to: 6, width: 168 },
    { name: 'transformer-45m-rope-wikitext103', activeExperts: 3, heads: 2, to: 3, width: 84 },
    { name: 'transformer-244m-rope-wikitext103', activeExperts: 2, heads: 4, to: 6, width: 128 },
  ];
  for (const { name, activeExperts, heads, to, width } of printed) {
    const baseline = presetConfig(name);
    const found = match({ baseline, by: 'macs', heads, activeExperts });
    const { model } = found.config;
    assert.equal(model.heads, to, name);
    assert.ok(Math.abs(model.headWidth / width - 1) < 0.02, `${name}: ${model.headWidth}`);
    const { macs } = found.baseline.layer.attention;
    assert.ok(Math.abs(found.unmatched.macs) < 0.005 * macs, `${name}: ${found.unmatched.macs}`);
    assert.equal(
      model.experts,
      match({ baseline, heads, activeExperts }).config.model.experts,
      'experts are those of the parameter match',
    );
  }
});

void test('heads that do not divide the baseline’s get the nearest number of experts, and a note', () => {
  const { config, notes } = match({ heads: 3 });
  assert.deepEqual([config.model.heads, config.model.experts], [3, 3]);
  assert.ok(notes.some((note) => /9 experts in all stand for the baseline’s 10 heads/u.test(note)));
});

void test('what cannot be met is said: bounds of the fields are kept', () => {
  const tiny = resolveConfig({
    model: { attention: 'dense', heads: 1, headWidth: 4, layers: 1, width: 4, feedForwardWidth: 1 },
  });
  const { config, unmatched, notes } = match({ baseline: tiny, heads: 8, experts: 64 });
  assert.deepEqual([config.model.headWidth, config.model.feedForwardWidth], [4, 1]);
  assert.ok(unmatched.parameters > 0);
  assert.ok(notes.some((note) => /more parameters than the baseline/u.test(note)));
});

void test('what cannot be matched is refused with what would be right', () => {
  const refuses = (request: Partial<MatchRequest>, code: string, message: RegExp): void => {
    assert.throws(() => match(request), { code, message });
  };
  const mixed = presetConfig('switchhead-47m-xl-c4');
  refuses({ baseline: mixed }, 'invalid-argument', /model\.attention "switchhead".*"dense"/u);
  const sigma = resolveConfig({ model: { attention: 'dense', feedForward: 'sigma-moe' } });
  refuses({ baseline: sigma }, 'invalid-argument', /model\.feedForward "sigma-moe"/u);
  refuses({ activeExperts: 6 }, 'invalid-config', /k must be at most E/u);
  refuses({ family: 'moa', heads: 11 }, 'invalid-config', /H must be at most E/u);
  refuses({ family: 'moa', activeExperts: 2 }, 'invalid-argument', /heads says how many/u);
});
