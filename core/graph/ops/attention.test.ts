/** What attention refuses. What it computes is tested by the cases of core/graph/testing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TfjsExecutor } from '../../backends/tfjs/executor.ts';
import { ReferenceExecutor } from '../../backends/reference/executor.ts';
import { Graph } from '../graph.ts';
import { plan } from '../plan.ts';
import { attention } from './attention.ts';

const attributes = { heads: 2, keyHeads: 2, causal: true, scale: 1, save: 'lse' } as const;

/** q, k and v of 3 queries and 5 sources, 2 heads of width 4. */
function operands(graph: Graph) {
  return {
    q: graph.input('q', [2, 3, 8], 'f32'),
    k: graph.input('k', [2, 5, 8], 'f32'),
    v: graph.input('v', [2, 5, 8], 'f32'),
  };
}

void test('inputs that do not fit are refused with what would be right', () => {
  const graph = new Graph();
  const inputs = operands(graph);
  const positions = graph.input('positions', [5, 8], 'f32');
  const bias = graph.input('bias', [8], 'f32');
  assert.throws(() => attention(inputs, { ...attributes, keyHeads: 4 }), /1 or heads, 2; it is 4/u);
  assert.throws(() => attention(inputs, { ...attributes, keyHeads: 1 }), /do not fit 2 heads/u);
  assert.throws(() => attention({ ...inputs, contentBias: bias }, attributes), /need positions/u);
  assert.throws(
    () => attention({ ...inputs, positions }, { ...attributes, causal: false }),
    /positions must be \[7, 8\], not \[5, 8\]/u,
  );
  assert.throws(
    () => attention({ ...inputs, scale: bias }, attributes),
    /scale must be \[1\], not \[8\]/u,
  );
});

void test('a query that would see nothing is refused, not given a value', async () => {
  for (const executor of [new ReferenceExecutor(), await TfjsExecutor.open('wasm')]) {
    const graph = new Graph();
    const visible = graph.input('visible', [2, 2], 'i32');
    const [y] = attention({ ...operands(graph), visible }, attributes);
    const program = executor.compile(plan(graph, { outputs: { y }, costs: executor }));
    const run = async (...ranges: number[]) =>
      await program.run({
        inputs: {
          q: new Float32Array(48),
          k: new Float32Array(80),
          v: new Float32Array(80).fill(1),
          visible: Int32Array.from(ranges),
        },
        uniforms: {},
      });
    assert.ok((await run(0, 5, 2, 3))['y'].every((value) => Math.abs(value - 1) < 1e-6));
    await assert.rejects(run(0, 5, 3, 5), /sequence 1 makes sources 3 up to 5 visible/u);
    await assert.rejects(run(2, 2, 0, 5), /sequence 0 makes sources 2 up to 2 visible/u);
    await assert.rejects(run(0, 6, 0, 5), /at most 5/u);
    program.dispose();
    executor.dispose();
  }
});
