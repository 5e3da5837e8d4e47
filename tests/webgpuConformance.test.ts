/**
 * Every op on WebGPU against the float64 reference, and what only a GPU has: memory that is shared
 * between programs, several threads, a device that is lost. On the software adapter of `npm test`
 * unless VK_DRIVER_FILES names a driver.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { ReferenceExecutor } from '../core/backends/reference/executor.ts';
import { WebgpuExecutor } from '../core/backends/webgpu/executor.ts';
import { factsOf, loadWebgpu, openDevice } from '../core/backends/webgpu/loadWebgpu.ts';
import { adapterMissing } from '../core/backends/webgpu/testing/adapter.ts';
import { Graph, sizeOf } from '../core/graph/graph.ts';
import { add } from '../core/graph/ops/add.ts';
import { matmul } from '../core/graph/ops/matmul.ts';
import { scale } from '../core/graph/ops/scale.ts';
import { plan } from '../core/graph/plan.ts';
import { cases, caseUniforms, type OpCase } from '../core/graph/testing/cases.ts';
import { checkVariables } from '../core/graph/testing/checkVariables.ts';
import { checkRepeats, compare } from '../core/graph/testing/compare.ts';
import { compileCase, feedOf, runCase } from '../core/graph/testing/runCase.ts';
import { ramp, smallStep } from '../core/graph/testing/smallStep.ts';

const reference = new ReferenceExecutor();

/**
 * Attention's kernels take a software adapter seconds to compile. There every seventh case runs, which
 * has every kind of mask and of saved values; SWITCHYARD_ALL_CASES runs all.
 */
const everyCase =
  adapterMissing !== false ||
  process.env['SWITCHYARD_ALL_CASES'] !== undefined ||
  !(await loadWebgpu()).software;
const chosen = (op: string, opCases: readonly OpCase[]) =>
  everyCase || !op.startsWith('attention') ? opCases : opCases.filter((_, i) => i % 7 === 0);

describe('webgpu', { skip: adapterMissing }, () => {
  let executor: WebgpuExecutor;
  before(async () => {
    executor = await WebgpuExecutor.open();
  });
  after(() => {
    executor.dispose();
    assert.equal(executor.memory().current, 0, 'buffers left');
  });

  for (const [op, opCases] of Object.entries(cases))
    test(op, async () => {
      for (const opCase of chosen(op, opCases))
        compare(
          await runCase(reference, opCase),
          await checkRepeats(executor, opCase),
          `${op}, ${opCase.name}`,
        );
    });

  test('a variable is what was written, whatever happens to the arrays', async () => {
    await checkVariables(executor);
  });

  test('a run that fails leaves nothing behind', async () => {
    const program = compileCase(executor, cases.dropout[0]);
    const { current } = executor.memory();
    await assert.rejects(
      program.run({ ...feedOf(cases.dropout[0]), uniforms: {} }),
      /uniform "seed" was not given/u,
    );
    await assert.rejects(program.run({ inputs: {}, uniforms: caseUniforms }), /105 values/u);
    assert.equal(executor.memory().current, current);
    program.dispose();
  });
});

describe('webgpu, executors of their own', { skip: adapterMissing }, () => {
  test('many steps need no more memory than one, and agree with the reference', async () => {
    const executor = await WebgpuExecutor.open();
    const losses: number[][] = [];
    for (const each of [new ReferenceExecutor(), executor]) {
      const program = each.compile(smallStep(each));
      for (const [name, { shape }] of program.plan.variables)
        if (!/^[mv]\//u.test(name)) each.write(name, shape, ramp(sizeOf(shape)));
      const feed = (step: number) => ({
        inputs: { x: ramp(2 * 5 * 8) },
        uniforms: { ...caseUniforms, step },
      });
      const ofSteps: number[] = [];
      for (let step = 1; step <= 5; step++) {
        const { loss } = await program.run(feed(step));
        ofSteps.push(loss[0]);
        if (step === 1) each.resetPeak();
      }
      losses.push(ofSteps);
      if (each === executor) assert.equal(each.memory().peak, each.memory().current);
      const profiled = await program.profile(feed(6));
      assert.ok(profiled.some(({ op, calls }) => op.startsWith('matmul') && calls > 0));
      program.dispose();
    }
    const [expected, actual] = losses.map((values) => ({ losses: Float64Array.from(values) }));
    compare(expected, actual, 'losses');
    executor.dispose();
    assert.equal(executor.memory().current, 0);
  });

  test('programs share the buffers of their temporaries: together they take what the largest takes', async () => {
    const executor = await WebgpuExecutor.open();
    const compile = (rows: number) => {
      const graph = new Graph();
      const x = graph.input('x', [rows, 4], 'f32');
      const w = graph.variable('w', [4, 4]);
      const y = matmul(add(x, x), w);
      return executor.compile(plan(graph, { outputs: { y }, costs: executor }));
    };
    executor.write('w', [4, 4], Float32Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1));
    const small = compile(3);
    const large = compile(300);
    const bytesWithLarge = executor.memory().current;
    const between = compile(100);
    const own = executor.memory().current - bytesWithLarge;
    assert.ok(own < 2 * between.plan.memory.buffers + 8192, `${own} bytes for a smaller program`);
    for (const [program, rows] of [
      [small, 3],
      [large, 300],
      [between, 100],
      [small, 3],
    ] as const) {
      const { y } = await program.run({ inputs: { x: ramp(4 * rows) }, uniforms: {} });
      compare({ y: Float64Array.from(ramp(4 * rows), (value) => 2 * value) }, { y }, `${rows}`);
    }
    executor.dispose();
    assert.equal(executor.memory().current, 0);
  });

  test('a tensor that no kernel could see whole is refused with both sizes', async () => {
    const loaded = await loadWebgpu();
    const gpu = await openDevice(loaded, 'f32');
    const facts = { ...factsOf(loaded, gpu, 'f32'), bindingBytes: 2 ** 20 };
    const executor = new WebgpuExecutor(loaded, gpu, 'f32', undefined, facts);
    const graph = new Graph();
    const x = graph.input('x', [1024, 1024], 'f32');
    const large = plan(graph, { outputs: { y: add(x, x) }, costs: executor });
    assert.throws(() => executor.compile(large), {
      code: 'out-of-memory',
      message: /of add takes 4 MiB, but a kernel on this GPU can use at most 1 MiB of one tensor/u,
    });
    executor.dispose();
    assert.equal(executor.memory().current, 0, 'what was allocated before it was refused');
  });

  test('a buffer that is larger than the GPU can make is refused with both sizes', async () => {
    const executor = await WebgpuExecutor.open();
    assert.throws(() => executor.allocate(executor.gpu.limits.maxBufferSize + 16, 0x80, 'a test'), {
      code: 'out-of-memory',
      message: /^A buffer of .* for a test is larger than this GPU can make \(/u,
    });
    executor.dispose();
  });

  test('a refused program leaves the others as they were, and no memory behind', async () => {
    const executor = await WebgpuExecutor.open();
    const compile = (length: number) => {
      const graph = new Graph();
      const x = graph.input('x', [length], 'f32');
      return executor.compile(plan(graph, { outputs: { y: scale(x, 2) }, costs: executor }));
    };
    const program = compile(8);
    const { current } = executor.memory();
    const tooLong = executor.gpu.limits.maxBufferSize / 4 + 4;
    assert.throws(() => compile(tooLong), { code: 'out-of-memory' });
    assert.equal(executor.memory().current, current);
    const { y } = await program.run({ inputs: { x: ramp(8) }, uniforms: {} });
    assert.deepEqual([...y], [...ramp(8).map((value) => 2 * value)]);
    executor.dispose();
    assert.equal(executor.memory().current, 0);
  });

  test('a variable that is handed out is read before it changes', async () => {
    const executor = await WebgpuExecutor.open();
    const graph = new Graph();
    const a = graph.variable('a', [2]);
    const updates = [['a', scale(a, 10)]] as const;
    const program = executor.compile(
      plan(graph, { outputs: { old: a }, updates, costs: executor }),
    );
    executor.write('a', [2], Float32Array.of(1, 2));
    const { old } = await program.run({ inputs: {}, uniforms: {} });
    assert.deepEqual([...old], [1, 2]);
    assert.deepEqual([...(await executor.read('a'))], [10, 20]);
    executor.dispose();
  });

  test('a second run at once is refused, and the first is right', async () => {
    const executor = await WebgpuExecutor.open();
    const program = compileCase(executor, cases.scale[0]);
    const feed = feedOf(cases.scale[0]);
    const first = program.run(feed);
    await assert.rejects(program.run(feed), /started while it was running/u);
    compare(await runCase(reference, cases.scale[0]), await first, 'the first');
    program.dispose();
    await assert.rejects(program.run(feed), /after it was disposed of/u);
    executor.dispose();
  });

  test('two threads compute at once, each on a device of its own', async () => {
    const entry = new URL('./testing/webgpuWorker.ts', import.meta.url);
    const results = await Promise.all(
      [0, 1].map(async () => {
        const worker = new Worker(entry);
        const { promise, resolve, reject } = Promise.withResolvers<unknown>();
        worker.on('message', resolve);
        worker.on('error', reject);
        worker.on('exit', () => reject(new Error('A thread ended without a result.')));
        return promise.finally(() => worker.terminate());
      }),
    );
    assert.equal(results.length, 2);
    assert.deepEqual(results[0], results[1]);
  });

  test('a device that is lost ends what is awaited, with a sentence', async () => {
    const executor = await WebgpuExecutor.open();
    const program = compileCase(executor, cases.matmul[0]);
    await program.run(feedOf(cases.matmul[0]));
    executor.gpu.destroy();
    await assert.rejects(program.run(feedOf(cases.matmul[0])), {
      code: 'interrupted',
      message: /^The GPU was lost \(destroyed: .*resume the run/u,
    });
    executor.dispose();
  });
});
