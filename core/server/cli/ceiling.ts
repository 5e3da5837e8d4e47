/** What a device does at most, by its own largest products: the measure for how well a step uses it. */
import type { Executor, Program } from '../../graph/executor.ts';
import { Graph, type Tensor } from '../../graph/graph.ts';
import { matmul } from '../../graph/ops/matmul.ts';
import { mean } from '../../graph/ops/mean.ts';
import { plan } from '../../graph/plan.ts';

/** Products in a row, so that the time to start one and to read the result counts little. */
const products = 8;
const sizes = [64, 128, 256, 512, 1024, 2048, 4096];
/** A size that would take longer than this for one run is not tried. */
const longestRun = 1500; // ms
const runs = 3;

export interface Ceiling {
  /** Multiplications and additions a second. */
  flops: number;
  /** Of the square matrices with which that was reached. */
  size: number;
}

/**
 * The fastest product of two square matrices, up to 4096 × 4096, on an executor with nothing else on
 * it. In half precision all but the first product read half-precision activations, as in training.
 */
export async function measureCeiling(executor: Executor): Promise<Ceiling> {
  let best: Ceiling = { flops: 0, size: 0 };
  for (const size of sizes) {
    const milliseconds = await timeProducts(executor, size);
    const flops = (products * 2 * size ** 3 * 1000) / milliseconds;
    if (flops > best.flops) best = { flops, size };
    if (milliseconds * 8 > longestRun) break;
  }
  return best;
}

/** Milliseconds of the fastest run after one to warm up. */
async function timeProducts(executor: Executor, size: number): Promise<number> {
  const names = ['x', 'w'].map((name) => `${name}/${size}`);
  const graph = new Graph();
  const [x, w] = names.map((name) => graph.variable(name, [size, size]));
  let y: Tensor = x;
  for (let i = 0; i < products; i++) y = matmul(y, w); // [size, size]
  for (const name of names) executor.write(name, [size, size], evenValues(size));
  const program = executor.compile(plan(graph, { outputs: { y: mean(y) }, costs: executor }));
  try {
    await timeRun(program);
    let fastest = Infinity;
    for (let i = 0; i < runs; i++) fastest = Math.min(fastest, await timeRun(program));
    return fastest;
  } finally {
    program.dispose();
  }
}

async function timeRun(program: Program): Promise<number> {
  const start = performance.now();
  await program.run({ inputs: {}, uniforms: {} });
  return performance.now() - start;
}

/** Values whose products neither grow nor vanish: of mean square 1/size. */
function evenValues(size: number): Float32Array {
  const largest = Math.sqrt(3 / size);
  return Float32Array.from({ length: size * size }, (_, i) => largest * Math.sin(i * i + 0.5 * i));
}
