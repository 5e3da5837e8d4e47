/**
 * Every op on every executor against the float64 reference: values within 2e-5 of the tensor's
 * largest magnitude, integers equal, the same bits when run again, and no tensor left behind. WebGPU
 * has a file of its own, which runs beside this one.
 */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { TfjsExecutor } from '../core/backends/tfjs/executor.ts';
import type { Kernels, TfjsBackend } from '../core/backends/tfjs/kernel.ts';
import { alternativeKernels } from '../core/backends/tfjs/kernels/index.ts';
import { loadTf, type LoadedTf } from '../core/backends/tfjs/loadTf.ts';
import { ReferenceExecutor } from '../core/backends/reference/executor.ts';
import { SwitchyardError } from '../core/contract/errors.ts';
import { sizeOf } from '../core/graph/graph.ts';
import { cases, caseUniforms } from '../core/graph/testing/cases.ts';
import { checkVariables } from '../core/graph/testing/checkVariables.ts';
import { checkRepeats, compare } from '../core/graph/testing/compare.ts';
import { compileCase, feedOf, runCase } from '../core/graph/testing/runCase.ts';
import { ramp, smallStep } from '../core/graph/testing/smallStep.ts';

const reference = new ReferenceExecutor();

describe('reference', () => {
  for (const [op, opCases] of Object.entries(cases))
    test(op, async () => {
      for (const opCase of opCases) await checkRepeats(reference, opCase);
      assert.equal(reference.memory().current, 0);
    });
});

for (const backend of ['tensorflow', 'wasm', 'cpu'] as const) {
  describe(backend, () => {
    for (const [op, opCases] of Object.entries(cases)) {
      test(op, async (context) => {
        const loaded = await loadOrSkip(backend, context);
        if (loaded === undefined) return;
        const exact = backend !== 'tensorflow';
        for (const [name, kernels] of kernelSets(loaded)) {
          const executor: TfjsExecutor = new TfjsExecutor(loaded, kernels);
          const before = loaded.tf.memory();
          for (const opCase of opCases) {
            const what = `${op}, ${opCase.name}, ${name} kernels`;
            compare(await runCase(reference, opCase), await runCase(executor, opCase), what);
            if (exact) await checkRepeats(executor, opCase);
          }
          assert.equal(loaded.tf.memory().numTensors, before.numTensors, `${op}: tensors left`);
          assert.equal(executor.memory().current, 0);
        }
      });
    }

    test('many steps keep the number of tensors and agree with the reference', async (context) => {
      const loaded = await loadOrSkip(backend, context);
      if (loaded === undefined) return;
      const executor = new TfjsExecutor(loaded);
      const tensorsBefore = loaded.tf.memory().numTensors;
      const losses: number[][] = [];
      for (const each of [new ReferenceExecutor(), executor]) {
        const program = each.compile(smallStep());
        for (const [name, { shape }] of program.plan.variables)
          if (!/^[mv]\//u.test(name)) each.write(name, shape, ramp(sizeOf(shape)));
        losses.push([]);
        let tensors: number | undefined;
        for (let step = 1; step <= 5; step++) {
          const outputs = await program.run({
            inputs: { x: ramp(2 * 5 * 8) },
            uniforms: { ...caseUniforms, step },
          });
          losses.at(-1)?.push(outputs['loss'][0]);
          tensors ??= loaded.tf.memory().numTensors;
          assert.equal(loaded.tf.memory().numTensors, tensors);
        }
        const { current, peak } = each.memory();
        assert.ok(peak > current, 'the peak counts temporaries');
        const profiled = await program.profile({
          inputs: { x: ramp(2 * 5 * 8) },
          uniforms: { ...caseUniforms, step: 6 },
        });
        assert.ok(profiled.some(({ op, calls }) => op === 'matmul' && calls > 3));
        program.dispose();
      }
      compare(
        { losses: Float64Array.from(losses[0]) },
        { losses: Float64Array.from(losses[1]) },
        'losses',
      );
      const variables = [...smallStep().variables.values()];
      assert.equal(
        executor.memory().current,
        4 * variables.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
      );
      executor.dispose();
      assert.equal(loaded.tf.memory().numTensors, tensorsBefore);
      assert.equal(executor.memory().current, 0);
    });

    test('a variable is what was written, whatever happens to the arrays', async (context) => {
      const loaded = await loadOrSkip(backend, context);
      if (loaded === undefined) return;
      const executor = new TfjsExecutor(loaded);
      await checkVariables(executor);
      executor.dispose();
    });

    test('a run that fails leaves nothing behind', async (context) => {
      const loaded = await loadOrSkip(backend, context);
      if (loaded === undefined) return;
      const executor = new TfjsExecutor(loaded);
      const program = compileCase(executor, cases.dropout[0]);
      const before = loaded.tf.memory().numTensors;
      await assert.rejects(
        program.run({ ...feedOf(cases.dropout[0]), uniforms: {} }),
        /uniform "seed" was not given/u,
      );
      await assert.rejects(program.run({ inputs: {}, uniforms: caseUniforms }), /105 values/u);
      assert.equal(loaded.tf.memory().numTensors, before);
      executor.dispose();
    });
  });
}

test('executors of two backends in one thread do not disturb each other', async () => {
  const [wasm, cpu] = [await TfjsExecutor.open('wasm'), await TfjsExecutor.open('cpu')];
  const opCase = cases.matmul[0];
  const programs = [compileCase(wasm, opCase), compileCase(cpu, opCase)];
  const expected = await runCase(reference, opCase);
  for (let round = 0; round < 2; round++)
    for (const program of programs)
      compare(expected, await program.run(feedOf(opCase)), `round ${round}`);
  wasm.dispose();
  compare(expected, await programs[1].run(feedOf(opCase)), 'after the other is gone');
  cpu.dispose();
});

/** The usual kernels of a backend and, where there are others, those. */
function kernelSets(loaded: LoadedTf): [string, Kernels | undefined][] {
  return [['usual', undefined], ...Object.entries(alternativeKernels(loaded))];
}

async function loadOrSkip(
  backend: TfjsBackend,
  context: TestContext,
): Promise<LoadedTf | undefined> {
  try {
    return await loadTf(backend);
  } catch (error) {
    if (!(error instanceof SwitchyardError) || backend !== 'tensorflow') throw error;
    context.skip(error.message);
    return undefined;
  }
}
