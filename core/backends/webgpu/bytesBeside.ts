/** What programs will take of a GPU's memory, known before any buffer is made. */
import { sizeOf } from '../../graph/graph.ts';
import type { Plan } from '../../graph/plan.ts';
import { uniformNames } from './feed.ts';
import { dispatchesOf, rangeAlignment, type Kernels } from './kernel.ts';
import { countingSetup, RangeAllocator, tensorOperand, type Rules } from './setup.ts';

/** Bytes of a buffer that holds so many. */
export function bufferBytes(bytes: number): number {
  return Math.max(16, Math.ceil(bytes / 16) * 16);
}

/**
 * Bytes of all buffers but variables that programs of these plans take: the shared ones, each as large
 * as the most demanding plan has it, and those of each program alone.
 */
export function bytesBeside(
  rules: Rules & { readonly kernels: Kernels },
  plans: readonly Plan[],
): number {
  const shared: number[] = [];
  for (const { buffers } of plans)
    for (const [rank, bytes] of buffers.toSorted((a, b) => b - a).entries())
      shared[rank] = Math.max(shared.at(rank) ?? 0, bufferBytes(bytes));
  return [...shared, ...plans.map((plan) => ownBytes(rules, plan))].reduce((a, b) => a + b, 0);
}

/** Inputs, uniforms, outputs on their way back, and what kernels derive once for several nodes. */
function ownBytes(rules: Rules & { readonly kernels: Kernels }, plan: Plan): number {
  const inputs = [...plan.inputs.values()].map(({ shape }) => bufferBytes(4 * sizeOf(shape)));
  const uniforms = rangeAlignment * uniformNames.length;
  const outputs = new RangeAllocator('staging');
  for (const tensor of plan.outputs.values()) {
    const { type, length } = tensorOperand(tensor, '', 0, rules);
    outputs.take(type, length);
  }
  return [...inputs, uniforms, bufferBytes(outputs.bytes), derivedBytes(rules, plan)].reduce(
    (a, b) => a + b,
    0,
  );
}

/** Found by making all kernels for nothing. */
function derivedBytes(rules: Rules & { readonly kernels: Kernels }, plan: Plan): number {
  const known = new Map<string, number>();
  const setup = countingSetup(rules, new RangeAllocator('scratch'), (place, bytes) =>
    known.set(place, bufferBytes(bytes)),
  );
  for (const { node } of plan.steps) dispatchesOf(rules.kernels, node, setup);
  return [...known.values()].reduce((a, b) => a + b, 0);
}
