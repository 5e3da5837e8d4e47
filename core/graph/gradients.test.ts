/**
 * Every gradient rule against central differences, in float64 on the reference executor. The loss is
 * Σ c·y of one output with random c, so that no direction goes unseen.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReferenceExecutor } from '../backends/reference/executor.ts';
import type { Feed } from './executor.ts';
import { sizeOf } from './graph.ts';
import { ops, type OpName } from './ops/index.ts';
import { plan } from './plan.ts';
import { uniform } from './random.ts';
import { cases, differenceStep, type OpCase } from './testing/cases.ts';
import { compileCase, feedOf, graphOf, inputName, outputName } from './testing/runCase.ts';

const tolerance = 1e-6;

for (const name of Object.keys(cases) as OpName[]) {
  if (ops[name].backward === undefined) continue;
  for (const opCase of cases[name])
    // The transposed form is itself a gradient and has none.
    if (!(name === 'matmul' && opCase.name.startsWith('transposed a')))
      test(`${name}: ${opCase.name}`, () => checkGradients(opCase));
}

async function checkGradients(opCase: OpCase): Promise<void> {
  const cotangent = cotangentOf(opCase);
  const analytic = await analyticGradients(opCase, cotangent);
  assert.ok(analytic.size > 0, 'no gradient at all');
  const executor = new ReferenceExecutor();
  const program = compileCase(executor, opCase);
  const outputOf = async (feed: Feed) =>
    (await program.run(feed))[outputName(opCase.differentiated ?? 0)];
  for (const [index, gradient] of analytic) {
    const feed = feedOf(opCase);
    const values = feed.inputs[inputName(index)].slice();
    const moved = { ...feed, inputs: { ...feed.inputs, [inputName(index)]: values } };
    const largest = gradient.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      values[i] = value + differenceStep;
      const above = await outputOf(moved);
      values[i] = value - differenceStep;
      const below = await outputOf(moved);
      values[i] = value;
      // Differences first: beside a hidden logit of -1e9 a sum of the values would lose its digits.
      let difference = 0;
      for (const [j, c] of cotangent.entries()) difference += c * (above[j] - below[j]);
      const numeric = difference / (2 * differenceStep);
      assert.ok(
        Math.abs(numeric - gradient[i]) <= tolerance * Math.max(1, largest),
        `input ${index}, element ${i}: the rule says ${gradient[i]}, differences say ${numeric}`,
      );
    }
  }
}

function cotangentOf(opCase: OpCase): Float32Array {
  const { outputs } = graphOf(opCase);
  const { shape } = outputs[opCase.differentiated ?? 0];
  return Float32Array.from(
    { length: sizeOf(shape) },
    (_, i) => 2 * uniform(0x7000_0001, 0, i, 1) - 1,
  );
}

/** Gradients by the op's own rule, by input index. */
async function analyticGradients(
  opCase: OpCase,
  cotangent: Float32Array,
): Promise<Map<number, Float64Array>> {
  const { graph, inputs, outputs } = graphOf(opCase);
  const differentiated = outputs[opCase.differentiated ?? 0];
  const { source } = differentiated;
  assert.ok(source.kind === 'node');
  const { node } = source;
  const dy = graph.input('cotangent', differentiated.shape, 'f32');
  const gradients = node.op.backward?.(
    node,
    outputs.map((output) => (output === differentiated ? dy : undefined)),
    node.inputs.map(({ dtype }) => dtype === 'f32'),
  );
  assert.ok(gradients !== undefined);
  const wanted = inputs.flatMap((input, index) => {
    const gradient = gradients.at(node.inputs.indexOf(input));
    return node.inputs.includes(input) && gradient !== undefined ? [{ index, gradient }] : [];
  });
  const program = new ReferenceExecutor().compile(
    plan(graph, {
      outputs: Object.fromEntries(
        wanted.map(({ index, gradient }) => [`gradient${index}`, gradient]),
      ),
    }),
  );
  const feed = feedOf(opCase);
  const results = await program.run({ ...feed, inputs: { ...feed.inputs, cotangent } });
  return new Map(
    wanted.map(({ index, gradient }) => {
      assert.deepEqual(gradient.shape, inputs[index].shape);
      return [index, results[`gradient${index}`] as Float64Array];
    }),
  );
}
