import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Executor } from '../graph/executor.ts';
import { Graph } from '../graph/graph.ts';
import { scale } from '../graph/ops/scale.ts';
import { plan } from '../graph/plan.ts';
import { ReferenceExecutor } from './reference/executor.ts';
import { TfjsExecutor } from './tfjs/executor.ts';
import { WebgpuExecutor } from './webgpu/executor.ts';
import { adapterMissing } from './webgpu/testing/adapter.ts';

const executors: Record<string, () => Executor | Promise<Executor>> = {
  webgpu: () => WebgpuExecutor.open(),
  reference: () => new ReferenceExecutor(),
  wasm: () => TfjsExecutor.open('wasm'),
  cpu: () => TfjsExecutor.open('cpu'),
};

for (const [name, open] of Object.entries(executors)) {
  const skip = name === 'webgpu' && adapterMissing;
  test(
    `swapped variables are what plans compiled before read and write: ${name}`,
    { skip },
    async () => {
      const executor = await open();
      const graph = new Graph();
      const active = graph.variable('active', [2]);
      const program = executor.compile(
        plan(graph, { outputs: {}, updates: [['active', scale(active, 10)]], costs: executor }),
      );
      executor.write('active', [2], Float32Array.of(1, 2));
      executor.write('stash', [2], Float32Array.of(3, 4));
      executor.write('other', [1, 2], Float32Array.of(5, 6));
      const { current } = executor.memory();
      executor.swap('active', 'stash');
      await program.run({ inputs: {}, uniforms: {} });
      executor.swap('active', 'stash');
      assert.deepEqual([...(await executor.read('active'))], [1, 2]);
      assert.deepEqual([...(await executor.read('stash'))], [30, 40]);
      assert.equal(executor.memory().current, current);
      for (const wrong of ['other', 'absent'])
        assert.throws(
          () => {
            executor.swap('active', wrong);
          },
          new RegExp(`"active" and "${wrong}" cannot be swapped`, 'u'),
        );
      executor.dispose();
    },
  );
}
