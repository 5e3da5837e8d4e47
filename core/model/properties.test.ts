/** What holds of the models whatever their numbers, on the float64 reference. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReferenceExecutor } from '../backends/reference/executor.ts';
import type { ModelConfig, PartialConfig } from '../contract/config.ts';
import { resolveConfig } from '../contract/resolveConfig.ts';
import { sizeOf } from '../graph/graph.ts';
import { memoryTokens, memoryVariables, visibleSources } from './memory.ts';
import { initialValues, type Parameter } from './parameters.ts';
import { evaluationPlan, logitsPlan, modelParameters } from './plans.ts';
import { classes } from './transformer.ts';

type PartialModel = NonNullable<PartialConfig['model']>;

const vocabulary = 7;
const context = 3;
const small: PartialModel = {
  context,
  layers: 2,
  width: 8,
  heads: 2,
  headWidth: 4,
  experts: 3,
  activeExperts: 2,
  feedForwardWidth: 6,
  feedForwardExperts: 4,
  feedForwardExpertWidth: 3,
  memoryChunks: 0,
};
const families: Readonly<Record<string, PartialModel>> = {
  dense: { attention: 'dense' },
  SwitchHead: { attention: 'switchhead' },
  'SwitchHead with experts everywhere': { attention: 'switchhead', expertProjections: 'qkvo' },
  MoA: { attention: 'moa', gating: 'softmax' },
  SwitchAll: { attention: 'switchhead', feedForward: 'sigma-moe' },
};
const positionSchemes = ['rope', 'xl'] as const;
const everyFamily = Object.entries(families).flatMap(([name, family]) =>
  positionSchemes.map((positions) => [`${name}, ${positions}`, { ...family, positions }] as const),
);

/** Values that depend on a parameter's name alone, none at its start: gains, biases and scales matter. */
function valuesOf(parameter: Parameter): Float32Array {
  const index = [...parameter.name].reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) % 9973, 7);
  const start = initialValues(parameter, index, 5);
  return start.map((value, i) => value + 0.3 * Math.sin(index + 1.7 * i));
}

type Values = (parameter: Parameter) => Float32Array;

/** A model on the reference. `config` is what differs from the smallest one. */
function prepare(config: PartialModel, values: Values = valuesOf) {
  const { model } = resolveConfig({ model: { ...small, ...config } });
  const executor = new ReferenceExecutor();
  for (const parameter of modelParameters(model, vocabulary))
    executor.write(parameter.name, parameter.shape, values(parameter));
  return { model, executor };
}

/** Logits after every token [tokens][V] of a text that is read chunk by chunk from its start. */
async function read(
  { model, executor }: ReturnType<typeof prepare>,
  text: readonly number[],
): Promise<number[][]> {
  const { context: length } = model;
  const memory = memoryTokens(model, 'evaluation');
  const program = executor.compile(logitsPlan({ model, vocabulary, batch: 1 }, executor, true));
  const rows: number[][] = [];
  for (let filled = 0; filled < text.length; filled += length) {
    const tokens = Int32Array.from(text.slice(filled, filled + length));
    const visible = visibleSources({ batch: 1, memory, filled, context: length });
    const inputs = memory > 0 ? { tokens, visible } : { tokens };
    const { logits } = await program.run({ inputs, uniforms: {} });
    rows.push(...rowsOf(logits, vocabulary));
  }
  return rows;
}

function rowsOf(values: ArrayLike<number>, width: number): number[][] {
  const all = Array.from(values);
  return Array.from({ length: all.length / width }, (_, i) =>
    all.slice(i * width, (i + 1) * width),
  );
}

/** Tokens without much of a pattern. */
const textOf = (length: number): number[] =>
  Array.from({ length }, (_, i) => (i * i + 3 * i + 1) % vocabulary);

function assertClose(actual: readonly number[][], expected: readonly number[][]): void {
  assert.equal(actual.length, expected.length);
  assert.ok(distance(actual, expected) < 1e-12, `off by ${distance(actual, expected)}`);
}

function distance(actual: readonly number[][], expected: readonly number[][]): number {
  const differences = actual.flatMap((row, i) => row.map((v, j) => Math.abs(v - expected[i][j])));
  return Math.max(...differences);
}

/** Far more than rounding could be. */
function assertDifferent(actual: readonly number[][], expected: readonly number[][]): void {
  assert.ok(distance(actual, expected) > 1e-6, 'nothing changed');
}

for (const [name, family] of everyFamily)
  for (const memoryChunks of family.positions === 'xl' ? [0, 2] : [0]) {
    const chunks = memoryChunks + 1;
    void test(`${name}, ${memoryChunks} cached chunks: a token changes no logit before it and every one from it on`, async () => {
      const text = textOf(context * chunks);
      const config = { ...family, memoryChunks };
      const before = await read(prepare(config), text);
      for (const changed of text.keys()) {
        const other = text.with(changed, (text[changed] + 1) % vocabulary);
        const after = await read(prepare(config), other);
        assert.deepEqual(after.slice(0, changed), before.slice(0, changed));
        for (let t = changed; t < text.length; t++) assertDifferent([after[t]], [before[t]]);
      }
    });
  }

for (const [name, family] of Object.entries(families)) {
  const xl: PartialModel = { ...family, positions: 'xl' };
  const text = textOf(9);

  void test(`${name}: chunks with all before them in memory give the logits of one long pass`, async () => {
    const whole = await read(prepare({ ...xl, context: 9 }), text);
    assertClose(await read(prepare({ ...xl, memoryChunks: 2 }), text), whole);
    const inValidation = { ...xl, memoryChunks: 1, evaluationMemoryChunks: 2 };
    assertClose(await read(prepare(inValidation), text), whole);
  });

  void test(`${name}: one cached chunk reaches just as far`, async () => {
    const whole = await read(prepare({ ...xl, layers: 1, context: 9 }), text);
    const chunked = await read(prepare({ ...xl, layers: 1, memoryChunks: 1 }), text);
    assertClose(chunked.slice(0, 6), whole.slice(0, 6));
    assertDifferent(chunked.slice(6), whole.slice(6));
    const forgotten = await read(
      prepare({ ...xl, layers: 1, memoryChunks: 1 }),
      text.with(2, (text[2] + 1) % vocabulary),
    );
    assert.deepEqual(forgotten.slice(6), chunked.slice(6));
  });

  void test(`${name}: a stream does not see what memory holds of another one`, async () => {
    const config = { ...xl, memoryChunks: 2 };
    const fresh = await read(prepare(config), text);
    const used = prepare(config);
    for (const { name: variable, shape } of memoryVariables(used.model, 1, 'evaluation'))
      used.executor.write(
        variable,
        shape,
        new Float32Array(sizeOf(shape)).map((_, i) => i % 5),
      );
    assert.deepEqual(await read(used, text), fresh);
  });
}

/** Puts the experts of every head in another order; matrices and selection, or the matrices alone. */
function reordered({ experts: E, feedForwardExperts }: ModelConfig, selections: boolean): Values {
  return (parameter) => {
    const { name, shape } = parameter;
    const values = valuesOf(parameter);
    const isSelection = /\.select[VO]?$/u.test(name);
    if (!isSelection && shape.length !== 3) return values;
    const group = name.includes('.feedForward.') ? feedForwardExperts : E;
    const moved = (i: number) => i - (i % group) + (((i % group) + 1) % group);
    if (isSelection) {
      const columns = shape[1];
      const source = (i: number) => i - (i % columns) + moved(i % columns);
      return selections ? values.map((_, i) => values[source(i)]) : values;
    }
    const size = shape[1] * shape[2];
    return values.map((_, i) => values[moved(Math.floor(i / size)) * size + (i % size)]);
  };
}

for (const [name, family] of everyFamily.filter(([, { attention }]) => attention !== 'dense'))
  void test(`${name}: the order of experts does not matter, as long as their selection keeps to it`, async () => {
    const text = textOf(3);
    const plain = prepare(family);
    const before = await read(plain, text);
    assertClose(await read(prepare(family, reordered(plain.model, true)), text), before);
    assertDifferent(await read(prepare(family, reordered(plain.model, false)), text), before);
  });

for (const expertProjections of ['vo', 'ko', 'qv', 'qk', 'kvo', 'qvo', 'qkvo'] as const)
  for (const positions of positionSchemes)
    void test(`${expertProjections}, ${positions}: one shared selection is two equal ones`, async () => {
      const memoryChunks = positions === 'xl' ? 1 : 0;
      const config: PartialModel = {
        attention: 'switchhead',
        expertProjections,
        positions,
        memoryChunks,
      };
      const text = textOf(6);
      const shared = await read(prepare({ ...config, selection: 'shared' }), text);
      const equal: Values = (parameter) =>
        valuesOf({ ...parameter, name: parameter.name.replace('selectV', 'selectO') });
      assertClose(await read(prepare(config, equal), text), shared);
      assertDifferent(await read(prepare(config), text), shared);
    });

/** Sequences to classify, padded to the context: logits [rows][classes]. */
async function classify(
  family: PartialModel,
  length: number,
  sequences: readonly (readonly number[])[],
  padding = 0,
): Promise<number[][]> {
  const { model, executor } = prepare({ ...family, task: 'classification', context: length });
  const batch = sequences.length;
  const program = executor.compile(evaluationPlan({ model, vocabulary, batch }, executor));
  const pad = (sequence: readonly number[]) =>
    Array.from({ length }, (_, t) => (t < sequence.length ? sequence[t] : padding));
  const inputs = {
    tokens: Int32Array.from(sequences.flatMap(pad)),
    visible: Int32Array.from(sequences.flatMap((sequence) => [0, sequence.length])),
    last: Int32Array.from(sequences, (sequence, row) => row * length + sequence.length - 1),
    targets: new Int32Array(batch),
  };
  return rowsOf((await program.run({ inputs, uniforms: {} })).logits, classes);
}

for (const [name, family] of everyFamily) {
  const sequences = [textOf(2), textOf(5), textOf(4)];

  void test(`${name}: a class does not depend on padding, nor on the other sequences`, async () => {
    const together = await classify(family, 5, sequences);
    assert.deepEqual(await classify(family, 5, sequences, 3), together);
    assert.deepEqual(await classify(family, 5, sequences.toReversed()), together.toReversed());
    for (const [row, sequence] of sequences.entries())
      assertClose(await classify(family, sequence.length, [sequence]), [together[row]]);
  });

  void test(`${name}: a class depends on every token`, async () => {
    const [before] = await classify(family, 5, [sequences[1]]);
    for (const [t, token] of sequences[1].entries()) {
      const changed = sequences[1].with(t, (token + 1) % vocabulary);
      assertDifferent(await classify(family, 5, [changed]), [before]);
    }
  });
}
