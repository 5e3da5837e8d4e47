/** Ops that treat every element by itself. */
import type { Tensor } from '../../../graph/graph.ts';
import { sameRange, type Dispatch, type Kernels, type Operand, type Setup } from '../kernel.ts';
import { wgslType } from '../shader.ts';
import { commonVector, floats, literal, perThread, threadGrid } from './grid.ts';

/**
 * y[i] from the elements i of some inputs, as many as y's, in f32 vectors of any width.
 * @param expression WGSL in terms of the inputs' names
 */
function map(
  kernel: string,
  inputs: Readonly<Record<string, Operand>>,
  output: Operand,
  expression: string,
): Dispatch {
  const vector = commonVector(...Object.values(inputs), output);
  const wide = (operand: Operand): Operand => ({ ...operand, vector });
  const y = wide(output);
  const reads: Record<string, Operand> = {};
  const lines: string[] = [];
  for (const [name, operand] of Object.entries(inputs)) {
    // An output over its input is bound once.
    const source = sameRange(operand, output) ? 'y' : `${name}_`;
    if (source !== 'y') reads[source] = wide(operand);
    lines.push(`  let ${name} = ${floats(vector)}(${source}[i]);`);
  }
  const count = output.length / vector;
  return {
    kernel,
    reads,
    writes: { y },
    code: perThread(count, `${lines.join('\n')}\n  y[i] = ${wgslType(y)}(${expression});`),
    workgroups: threadGrid(count),
  };
}

/** Operands of a node's tensors. */
export const operands = (tensors: readonly Tensor[], setup: Setup): Operand[] =>
  tensors.map((tensor) => setup.operand(tensor));

export const elementwiseKernels = {
  add: ({ inputs, outputs, attributes: { factor } }, setup) => {
    const [a, b, y] = operands([...inputs, ...outputs], setup);
    return [map('add', { a, b }, y, factor === 1 ? 'a + b' : `a + ${literal(factor)} * b`)];
  },
  scale: ({ inputs, outputs, attributes: { factor } }, setup) => {
    const [x, y] = operands([...inputs, ...outputs], setup);
    return [map('scale', { x }, y, `${literal(factor)} * x`)];
  },
  reluGrad: ({ inputs, outputs }, setup) => {
    const [value, dy, dx] = operands([...inputs, ...outputs], setup);
    const isVector = commonVector(value, dy, dx) === 4;
    const zero = isVector ? 'vec4<f32>()' : '0.0';
    return [map('reluGrad', { value, dy }, dx, `select(${zero}, dy, value > ${zero})`)];
  },
} satisfies Partial<Kernels>;
