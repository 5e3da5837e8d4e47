/** Attention families that reduce to dense heads, and the direction in which they look. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReferenceExecutor } from '../../backends/reference/executor.ts';
import type { ModelConfig, PartialConfig } from '../../contract/config.ts';
import { resolveConfig } from '../../contract/resolveConfig.ts';
import { Graph, sizeOf } from '../../graph/graph.ts';
import { concat } from '../../graph/ops/concat.ts';
import { plan } from '../../graph/plan.ts';
import { ModelBuilder } from '../builder.ts';
import { attentionFamilies } from './index.ts';

const width = 6;
const headWidth = 4;
const [memory, tokens] = [3, 4];

/** Numbers in [−1, 1), others for every name. */
function draw(name: string, length: number): Float32Array {
  const phase = [...name].reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) % 9973, 7);
  return Float32Array.from({ length }, (_, i) => Math.sin(phase + 1.7 * i + 0.3 * i * i));
}
const chunk = draw('chunk', tokens * width);

type Parameters = Readonly<Record<string, Float32Array>>;

/**
 * One attention layer on one sequence with memory: [T][D].
 * @param given parameters by their name in the layer; the others are drawn
 */
async function layer(
  config: NonNullable<PartialConfig['model']>,
  given: Parameters = {},
  x: Float32Array = chunk,
): Promise<{ y: Float64Array; parameters: Parameters }> {
  const { model } = resolveConfig({ model: { ...config, width, headWidth, layers: 1 } });
  const graph = new Graph();
  const builder = new ModelBuilder(graph, { training: false, attentionSave: 'lse' });
  const destination = graph.input('x', [1, tokens, width], 'f32');
  const remembered = graph.input('memory', [1, memory, width], 'f32');
  const source = config.positions === 'xl' ? concat(remembered, destination) : destination;
  const family = attentionFamilies[model.attention];
  const y = family(builder, 'layer', { destination, source }, model);
  const executor = new ReferenceExecutor();
  const parameters: Record<string, Float32Array> = {};
  for (const { name, shape } of builder.parameters) {
    const role = name.replace('layer.', '');
    parameters[role] = given[role] ?? draw(role, sizeOf(shape));
    executor.write(name, shape, parameters[role]);
  }
  const program = executor.compile(plan(graph, { outputs: { y } }));
  const inputs = { x, memory: draw('memory', memory * width) };
  const results = await program.run({ inputs, uniforms: {} });
  return { y: Float64Array.from(results.y), parameters };
}

/** One dense head; with Transformer-XL positions without its biases. */
async function denseHead(
  positions: ModelConfig['positions'],
  given: Parameters,
): Promise<Float64Array> {
  const none = new Float32Array(headWidth);
  const biases = { contentBias: none, positionBias: none };
  const { y } = await layer({ attention: 'dense', positions, heads: 1 }, { ...biases, ...given });
  return y;
}

/** Logits of a selection matrix [D, experts] for every token: [T][experts]. */
function selectionLogits(selection: Float32Array, experts: number): number[][] {
  return Array.from({ length: tokens }, (_, t) =>
    Array.from({ length: experts }, (_, e) =>
      Array.from(
        { length: width },
        (_, d) => chunk[t * width + d] * selection[d * experts + e],
      ).reduce((a, b) => a + b),
    ),
  );
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const softmax = (row: readonly number[]): number[] => {
  const total = row.reduce((sum, x) => sum + Math.exp(x), 0);
  return row.map((x) => Math.exp(x) / total);
};

/** Matrix e of a stack of equal ones. */
const part = (stack: Float32Array, index: number, count: number): Float32Array =>
  stack.slice((index * stack.length) / count, ((index + 1) * stack.length) / count);

/** Columns of head h of a projection [D, H·P]. */
const headColumns = (matrix: Float32Array, h: number, heads: number): Float32Array =>
  matrix.filter((_, i) => Math.floor(i / headWidth) % heads === h);

function assertGatedSum(y: Float64Array, gates: number[][], heads: readonly Float64Array[]): void {
  for (const [i, value] of y.entries()) {
    const t = Math.floor(i / width);
    const expected = heads.reduce((sum, head, e) => sum + gates[t][e] * head[i], 0);
    assert.ok(Math.abs(value - expected) < 1e-12, `${value} at ${i}, not ${expected}`);
  }
}

for (const positions of ['rope', 'xl'] as const) {
  for (const [gating, gate] of [
    ['softmax', softmax],
    ['softmax-chosen', softmax],
    ['sigmoid', (row: readonly number[]) => row.map(sigmoid)],
  ] as const)
    void test(`MoA, ${gating}, ${positions}: with H = E it is all heads, weighted by dense gates`, async () => {
      const experts = 3;
      const config = { attention: 'moa', positions, gating, heads: experts, experts } as const;
      const { y, parameters } = await layer(config);
      const { q, k, v, o, position, scale } = parameters;
      const heads = await Promise.all(
        Array.from({ length: experts }, (_, e) =>
          denseHead(positions, {
            ...{ k, v, position, scale },
            q: part(q, e, experts),
            o: part(o, e, experts),
          }),
        ),
      );
      assertGatedSum(y, selectionLogits(parameters.select, experts).map(gate), heads);
    });

  for (const [expertProjections, sourceGate] of [
    ['o', 1],
    // A selection of zeros makes the gate of the values a half.
    ['vo', 0.5],
  ] as const)
    void test(`SwitchHead, ${expertProjections}, ${positions}: with E = 1 it is dense heads with a sigmoid gate`, async () => {
      const heads = 2;
      const config = { attention: 'switchhead', positions, expertProjections, heads } as const;
      const { y, parameters } = await layer(
        { ...config, experts: 1, activeExperts: 1 },
        { selectV: new Float32Array(width * heads) },
      );
      const { q, k, v, o, position } = parameters;
      const columns = (matrix: Float32Array, h: number) => headColumns(matrix, h, heads);
      const dense = await Promise.all(
        Array.from({ length: heads }, (_, h) =>
          denseHead(positions, {
            q: columns(q, h),
            k: columns(k, h),
            v: expertProjections === 'o' ? columns(v, h) : part(v, h, heads),
            o: part(o, h, heads),
            ...(positions === 'xl' ? { position: columns(position, h) } : {}),
            scale: Float32Array.of(1 / Math.sqrt(headWidth)),
          }),
        ),
      );
      const gates = selectionLogits(parameters.selectO, heads).map((row) =>
        row.map((logit) => sourceGate * sigmoid(logit)),
      );
      assertGatedSum(y, gates, dense);
    });

  for (const attention of ['dense', 'switchhead', 'moa'] as const)
    void test(`${attention}, ${positions}: a classifier looks both ways, a language model back`, async () => {
      const last = chunk.with(chunk.length - 1, 2);
      const first = (y: Float64Array) => y.slice(0, (tokens - 1) * width);
      for (const task of ['language-model', 'classification'] as const) {
        // Its memory is here part of the sequence.
        const config = { attention, positions, task, heads: 2, experts: 3, memoryChunks: 0 };
        const before = first((await layer(config)).y);
        const after = first((await layer(config, {}, last)).y);
        if (task === 'language-model') assert.deepEqual(after, before);
        else for (const [i, value] of after.entries()) assert.notEqual(value, before[i]);
      }
    });
}
