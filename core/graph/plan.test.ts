import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReferenceExecutor } from '../backends/reference/executor.ts';
import { differentiate } from './differentiate.ts';
import { bytesOf, Graph, type Tensor } from './graph.ts';
import { add } from './ops/add.ts';
import { matmul } from './ops/matmul.ts';
import { mean } from './ops/mean.ts';
import { scale } from './ops/scale.ts';
import { plan, type Plan } from './plan.ts';

/** Every buffer's tenants by the steps during which they must keep their values. */
function occupancy({
  steps,
  storage,
  outputs,
  updates,
}: Plan): Map<number, { first: number; last: number }[]> {
  const lives = new Map<number, { tensor: Tensor; first: number; last: number }>();
  for (const [index, { node }] of steps.entries()) {
    for (const tensor of node.outputs) lives.set(tensor.id, { tensor, first: index, last: index });
    for (const input of node.inputs) {
      const life = lives.get(input.id);
      if (life !== undefined) life.last = index;
    }
  }
  for (const tensor of [...outputs.values(), ...updates.map(({ tensor }) => tensor)]) {
    const life = lives.get(tensor.id);
    if (life !== undefined) life.last = steps.length;
  }
  const buffers = new Map<number, { first: number; last: number }[]>();
  for (const { tensor, first, last } of lives.values()) {
    const place = storage.get(tensor.id);
    if (place?.kind === 'buffer')
      buffers.set(place.buffer, [...(buffers.get(place.buffer) ?? []), { first, last }]);
  }
  for (const [index, { scratch }] of steps.entries())
    if (scratch !== undefined)
      buffers.set(scratch, [...(buffers.get(scratch) ?? []), { first: index, last: index }]);
  return buffers;
}

/** A chain of layers with a loss and gradients. */
function chain(layers: number) {
  const graph = new Graph();
  const x = graph.input('x', [32, 16], 'f32');
  const weights = Array.from({ length: layers }, (_, i) => graph.variable(`w${i}`, [16, 16]));
  let h = x;
  for (const weight of weights) h = add(h, matmul(h, weight, { activation: 'relu' }));
  const loss = mean(h);
  return {
    graph,
    weights,
    loss,
    gradients: differentiate(loss, weights, graph.uniform('lossScale')),
  };
}

void test('no two tensors alive at the same time share a buffer, scratch included', () => {
  const { graph, loss, gradients } = chain(6);
  const outputs = Object.fromEntries([
    ['loss', loss],
    ...gradients.map((g, i) => [`g${i}`, g]),
  ]) as Record<string, Tensor>;
  const planned = plan(graph, {
    outputs,
    costs: { bytes: bytesOf, scratch: ({ op }) => (op.name === 'matmul' ? 4096 : 0) },
  });
  for (const tenants of occupancy(planned).values()) {
    const sorted = tenants.toSorted((a, b) => a.first - b.first);
    for (let i = 1; i < sorted.length; i++) assert.ok(sorted[i - 1].last < sorted[i].first);
  }
  assert.ok(planned.steps.some(({ scratch }) => scratch !== undefined));
});

void test('buffers are large enough, and their total lies between the peak and the sum of all tensors', () => {
  const { graph, loss, gradients } = chain(8);
  const outputs = Object.fromEntries([
    ['loss', loss],
    ...gradients.map((g, i) => [`g${i}`, g]),
  ]) as Record<string, Tensor>;
  const planned = plan(graph, { outputs });
  for (const { node } of planned.steps)
    for (const tensor of node.outputs) {
      const place = planned.storage.get(tensor.id);
      assert.ok(place?.kind === 'buffer' && planned.buffers[place.buffer] >= bytesOf(tensor));
    }
  const { buffers, lowerBound } = planned.memory;
  const everything = planned.steps
    .flatMap(({ node }) => node.outputs)
    .reduce((sum, tensor) => sum + bytesOf(tensor), 0);
  assert.ok(lowerBound <= buffers && buffers < everything);
  assert.equal(
    buffers,
    planned.buffers.reduce((a, b) => a + b, 0),
  );
});

void test('nodes that no result needs are left out', () => {
  const graph = new Graph();
  const x = graph.input('x', [4], 'f32');
  graph.input('unused', [4], 'f32');
  scale(x, 3);
  const planned = plan(graph, { outputs: { y: scale(x, 2) } });
  assert.equal(planned.steps.length, 1);
  assert.deepEqual([...planned.inputs.keys()], ['x']);
});

void test('every temporary is released exactly once, after its last reader, and outputs never', () => {
  const { graph, loss, gradients } = chain(4);
  const planned = plan(graph, { outputs: { loss, g: gradients[0] } });
  const released = planned.steps.flatMap(({ release }, index) =>
    release.map((tensor) => ({ tensor, index })),
  );
  assert.equal(new Set(released.map(({ tensor }) => tensor.id)).size, released.length);
  for (const { tensor, index } of released) {
    assert.ok(tensor !== loss && tensor !== gradients[0]);
    assert.ok(planned.steps.slice(index + 1).every(({ node }) => !node.inputs.includes(tensor)));
  }
  const made = planned.steps.flatMap(({ node }) => node.outputs);
  assert.equal(released.length, made.length - 2);
});

void test('an update is written in place only when nothing reads the old value afterwards', async () => {
  const graph = new Graph();
  const w = graph.variable('w', [2]);
  const moved = add(w, graph.input('x', [2], 'f32'));
  const late = scale(w, 10); // reads the old value after `moved` exists
  const planned = plan(graph, { outputs: { late }, updates: [['w', moved]] });
  assert.equal(planned.updates[0].copy, true);
  const executor = new ReferenceExecutor();
  executor.write('w', [2], Float32Array.of(1, 2));
  const { late: value } = await executor
    .compile(planned)
    .run({ inputs: { x: Float32Array.of(5, 5) }, uniforms: {} });
  assert.deepEqual([...value], [10, 20]);
  assert.deepEqual([...(await executor.read('w'))], [6, 7]);

  const alone = new Graph();
  const v = alone.variable('v', [2]);
  assert.equal(
    plan(alone, { outputs: {}, updates: [['v', add(v, alone.input('x', [2], 'f32'))]] }).updates[0]
      .copy,
    false,
  );
});

void test('the reference executor’s memory returns to its variables after every run', async () => {
  const { graph, loss, gradients, weights } = chain(3);
  const executor = new ReferenceExecutor();
  const program = executor.compile(
    plan(graph, {
      outputs: { loss },
      updates: weights.map((w, i) => [`w${i}`, add(w, gradients[i], -0.1)] as const),
    }),
  );
  const feed = { inputs: { x: new Float32Array(32 * 16).fill(0.5) }, uniforms: { lossScale: 1 } };
  await program.run(feed);
  const { current } = executor.memory();
  assert.equal(current, 3 * 16 * 16 * 8);
  for (let i = 0; i < 5; i++) await program.run(feed);
  assert.equal(executor.memory().current, current);
  assert.ok(executor.memory().peak > current);
});

void test('a gradient that the loss does not depend on is an error, not a zero', () => {
  const graph = new Graph();
  const used = graph.variable('used', [2, 2]);
  const unused = graph.variable('unused', [2, 2]);
  assert.throws(
    () => differentiate(mean(used), [used, unused], graph.uniform('lossScale')),
    /does not depend on the tensor "unused"/u,
  );
});
