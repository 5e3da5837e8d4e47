/** A thread of the conformance test: some steps of training on an executor of its own. */
import { parentPort } from 'node:worker_threads';
import { WebgpuExecutor } from '../../core/backends/webgpu/executor.ts';
import { sizeOf } from '../../core/graph/graph.ts';
import { caseUniforms } from '../../core/graph/testing/cases.ts';
import { ramp, smallStep } from '../../core/graph/testing/smallStep.ts';

const executor = await WebgpuExecutor.open();
const program = executor.compile(smallStep(executor));
for (const [name, { shape }] of program.plan.variables)
  executor.write(name, shape, ramp(sizeOf(shape)));
const losses: number[] = [];
for (let step = 1; step <= 5; step++) {
  const feed = { inputs: { x: ramp(2 * 5 * 8) }, uniforms: { ...caseUniforms, step } };
  const { loss } = await program.run(feed);
  losses.push(loss[0]);
}
executor.dispose();
parentPort?.postMessage(losses);
