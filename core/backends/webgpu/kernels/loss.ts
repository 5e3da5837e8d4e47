/** Cross-entropy over a vocabulary, and its gradient: one pass over the logits each. */
import { last, rowsOf } from '../../../graph/shapes.ts';
import type { Dispatch, Kernels, Operand } from '../kernel.ts';
import { wgslType } from '../shader.ts';
import { operands } from './elementwise.ts';
import { floats, grid, threads } from './grid.ts';
import { largest, lowest, reduction, total } from './reduction.ts';
import { rowGrid, rowLayout, rowMain, rowSweep, type RowLayout } from './rowSweep.ts';

/**
 * WGSL: of a thread's logits the largest, `top`, and `sum` = Σ exp(x − top). Where they are not held the
 * sum is kept relative to the largest so far (Milakov & Gimelshein 2018, "Online normalizer calculation
 * for softmax").
 */
function partOfRow(layout: RowLayout): string {
  const sweep = rowSweep(layout, { value: `${floats(layout.vector)}(logits[at])` });
  const begin = `${sweep.load}
  var top = ${lowest};
  var sum = 0.0;`;
  if (layout.held)
    return `${begin}${sweep.each(() => 'top = max(top, largest(value));')}${sweep.each(
      () => 'sum += total(exp(value - top));',
    )}`;
  return `${begin}${sweep.each(
    () => `
    let next = max(top, largest(value));
    sum = sum * exp(top - next) + total(exp(value - next));
    top = next;`,
  )}`;
}

/** logits [rows, V], targets [rows] → losses [rows], log-sum-exp [rows]. */
function crossEntropy(
  [logits, targets, losses, lse]: readonly Operand[],
  layout: RowLayout,
): Dispatch {
  const { vector, columns, lanes } = layout;
  const target = vector === 1 ? 'logits[start + t]' : 'logits[start + t / 4u][t % 4u]';
  return {
    kernel: 'crossEntropy',
    reads: { logits: { ...logits, vector }, targets },
    writes: { losses, lse },
    code: `
${total(vector)}
${largest(vector)}
fn merged(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
  let top = max(a.x, b.x);
  return vec2<f32>(top, a.y * exp(a.x - top) + b.y * exp(b.x - top));
}
${reduction('mergedOverRow', 'vec2<f32>', lanes, 'merged(a, b)')}
${rowMain(
  layout,
  `${partOfRow(layout)}
  let all = mergedOverRow(vec2<f32>(top, sum), thread);
  if (inside && lane == 0u) {
    let logSum = all.x + log(all.y);
    let t = min(u32(targets[row]), ${columns * vector - 1}u);
    lse[row] = logSum;
    losses[row] = logSum - f32(${target});
  }`,
)}`,
    workgroups: rowGrid(layout),
  };
}

/** Vectors that a thread of crossEntropyGrad reads before it waits for any of them. */
const ahead = 4;

/** logits [rows, V], targets, lse, dLosses [rows] → [rows, V]: dLoss·(exp(logit − lse) − [v = target]). */
function crossEntropyGrad(
  [logits, targets, lse, dLosses, dLogits]: readonly Operand[],
  width: number,
): Dispatch {
  const vector = width % 4 === 0 ? 4 : 1;
  const columns = width / vector;
  const count = logits.length / vector;
  const type = floats(vector);
  const y: Operand = { ...dLogits, vector };
  const turns = Array.from({ length: ahead }, (_, turn) => turn);
  const first = vector === 1 ? 'c' : '4u * c + vec4u(0u, 1u, 2u, 3u)';
  const [zero, one] = [`${type}(0.0)`, `${type}(1.0)`];
  return {
    kernel: 'crossEntropyGrad',
    reads: { logits: { ...logits, vector }, targets, lse, dLosses },
    writes: { y },
    code: `
fn gradient(logit: ${type}, at: u32) -> ${type} {
  let row = at / ${columns}u;
  let c = at % ${columns}u;
  let isTarget = ${first} == ${vector === 1 ? 'u32(targets[row])' : 'vec4u(u32(targets[row]))'};
  return f32(dLosses[row]) * (exp(logit - f32(lse[row])) - select(${zero}, ${one}, isTarget));
}
@compute @workgroup_size(${threads})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let first = (group.y * groups.x + group.x) * ${ahead * threads}u + thread;
${turns.map((turn) => `  let at${turn} = first + ${turn * threads}u;`).join('\n')}
${turns.map((turn) => `  var logit${turn}: ${type};`).join('\n')}
${turns.map((turn) => `  if (at${turn} < ${count}u) { logit${turn} = ${type}(logits[at${turn}]); }`).join('\n')}
${turns.map((turn) => `  if (at${turn} < ${count}u) { y[at${turn}] = ${wgslType(y)}(gradient(logit${turn}, at${turn})); }`).join('\n')}
}`,
    workgroups: grid(Math.ceil(count / (ahead * threads))),
  };
}

export const lossKernels = {
  crossEntropy: ({ inputs, outputs }, setup) => {
    const [{ shape }] = inputs;
    const layout = rowLayout(rowsOf(shape), last(shape));
    return [crossEntropy(operands([...inputs, ...outputs], setup), layout)];
  },
  crossEntropyGrad: ({ inputs, outputs }, setup) => [
    crossEntropyGrad(operands([...inputs, ...outputs], setup), last(inputs[0].shape)),
  ],
} satisfies Partial<Kernels>;
