import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReferenceExecutor } from '../backends/reference/executor.ts';
import { presets } from '../contract/presets.ts';
import { resolveConfig } from '../contract/resolveConfig.ts';
import type { ModelConfig, PartialConfig } from '../contract/config.ts';
import { initialValues, type Parameter } from './parameters.ts';
import { logitsPlan, modelParameters, trainPlans } from './plans.ts';

const small: PartialConfig['model'] = {
  context: 8,
  layers: 2,
  width: 12,
  heads: 2,
  headWidth: 4,
  experts: 3,
  activeExperts: 2,
  feedForwardWidth: 16,
  feedForwardExperts: 4,
  feedForwardExpertWidth: 6,
};
const families: Readonly<Record<string, PartialConfig['model']>> = {
  dense: { ...small, attention: 'dense' },
  SwitchHead: { ...small, attention: 'switchhead' },
  SwitchAll: { ...small, attention: 'switchhead', feedForward: 'sigma-moe' },
  'dense with σ-MoE': { ...small, attention: 'dense', feedForward: 'sigma-moe' },
  'one expert, one head': { ...small, heads: 1, experts: 1, activeExperts: 1 },
};
const vocabulary = 11;
const configOf = (model: PartialConfig['model']): ModelConfig => resolveConfig({ model }).model;

async function logitsOf(
  model: ModelConfig,
  tokens: Int32Array,
  permute: (name: string, values: Float32Array) => Float32Array = (_name, values) => values,
) {
  const executor = new ReferenceExecutor();
  for (const [i, parameter] of modelParameters(model, vocabulary).entries())
    executor.write(
      parameter.name,
      parameter.shape,
      permute(parameter.name, initialValues(parameter, i, 7)),
    );
  const program = executor.compile(logitsPlan({ model, vocabulary, batch: 1 }, executor, false));
  return (await program.run({ inputs: { tokens }, uniforms: {} })).logits; // [1, T, V]
}

for (const [name, partial] of Object.entries(families)) {
  void test(`${name}: a future token never changes a past logit, and does change later ones`, async () => {
    const model = configOf(partial);
    const tokens = Int32Array.from({ length: model.context }, (_, t) => (t * 5) % vocabulary);
    const before = await logitsOf(model, tokens);
    const changed = 5;
    tokens[changed] = (tokens[changed] + 1) % vocabulary;
    const after = await logitsOf(model, tokens);
    const boundary = changed * vocabulary;
    assert.deepEqual(after.slice(0, boundary), before.slice(0, boundary));
    for (let t = changed; t < model.context; t++)
      assert.notDeepEqual(
        after.slice(t * vocabulary, (t + 1) * vocabulary),
        before.slice(t * vocabulary, (t + 1) * vocabulary),
      );
  });
}

void test('the order of a head’s experts does not matter', async () => {
  const model = configOf(families.SwitchHead);
  const { experts, heads, width } = model;
  const order = [2, 0, 1];
  const moved = (index: number) => Math.floor(index / experts) * experts + order[index % experts];
  const permute = (name: string, values: Float32Array) => {
    const experts = heads * order.length;
    if (/attention\.[vo]$/u.test(name)) {
      const size = values.length / experts;
      return Float32Array.from(
        values,
        (_, i) => values[moved(Math.floor(i / size)) * size + (i % size)],
      );
    }
    if (/attention\.select[VO]$/u.test(name))
      return Float32Array.from(
        { length: width * experts },
        (_, i) => values[Math.floor(i / experts) * experts + moved(i % experts)],
      );
    return values;
  };
  const tokens = Int32Array.from({ length: model.context }, (_, t) => (t * 3) % vocabulary);
  const plain = await logitsOf(model, tokens);
  const permuted = await logitsOf(model, tokens, permute);
  for (const [i, value] of plain.entries()) assert.ok(Math.abs(value - permuted[i]) < 1e-12);
});

void test('starting values have the deviations of model.md and do not depend on anything but place and seed', () => {
  const deviationOf = (values: Float32Array) =>
    Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);
  const model = resolveConfig(presets[1].config).model; // tiny-switchhead
  const parameters = modelParameters(model, 256);
  const expected: Record<string, number> = {
    embedding: 1 / Math.sqrt(128),
    'layers.0.attention.q': Math.sqrt(2 / 4 / 128),
    'layers.0.attention.v': Math.sqrt(2 / 4 / 128),
    'layers.0.attention.o': Math.sqrt(2 / 4 / 48),
    'layers.0.attention.selectV': Math.sqrt(2 / 4 / 128),
    'layers.0.feedForward.down.weight': Math.sqrt(2 / 4 / 512),
    'output.weight': 1 / Math.sqrt(128) / Math.sqrt(3),
  };
  for (const [name, deviation] of Object.entries(expected)) {
    const index = parameters.findIndex((parameter) => parameter.name === name);
    const values = initialValues(parameters[index], index, 1);
    // The standard error of a deviation over n values is about 1/√(2n) of it; five of them.
    const margin = 5 / Math.sqrt(2 * values.length);
    assert.ok(
      Math.abs(deviationOf(values) / deviation - 1) < margin,
      `${name}: ${deviationOf(values)} for ${deviation}`,
    );
    assert.deepEqual(initialValues(parameters[index], index, 1), values);
    assert.notDeepEqual(initialValues(parameters[index], index, 2), values);
  }
});

void test('a selection matrix gives every expert the same length', () => {
  const parameter: Parameter = {
    name: 's',
    part: 'projections',
    shape: [64, 6],
    init: { kind: 'equalColumns', deviation: 0.3 },
  };
  const values = initialValues(parameter, 3, 1);
  const lengths = Array.from({ length: 6 }, (_, e) =>
    Math.hypot(...values.filter((_, i) => i % 6 === e)),
  );
  for (const length of lengths) assert.ok(Math.abs(length / lengths[0] - 1) < 1e-6);
});

void test('truncated normals stay within two deviations of the uncut normal', () => {
  const parameter: Parameter = {
    name: 'w',
    part: 'projections',
    shape: [100, 100],
    init: { kind: 'truncatedNormal', deviation: 1 },
  };
  const largest = initialValues(parameter, 0, 1).reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  assert.ok(largest <= 2 / 0.8796 && largest > 2.2);
});

void test('k = E, E = 1 and odd widths build and differentiate', () => {
  for (const model of [
    { ...small, experts: 2, activeExperts: 2 },
    { ...small, experts: 1, activeExperts: 1 },
    { ...small, width: 13, headWidth: 41, heads: 3 },
  ]) {
    const { step } = trainPlans(
      configOf(model),
      7,
      { ...resolveConfig({}).training, batch: 1 },
      new ReferenceExecutor(),
    );
    assert.ok(step !== undefined && step.steps.length > 50);
  }
});
