/** Ops that draw: the masks of dropout, bit for bit those of core/graph/random.ts. */
import { dropoutThreshold, stream } from '../../../graph/random.ts';
import { hiddenLogit } from '../../../graph/ops/expertDropout.ts';
import { last } from '../../../graph/shapes.ts';
import type { Dispatch, Kernels, Operand } from '../kernel.ts';
import { wgslType } from '../shader.ts';
import { commonVector, floats, literal, perThread, threadGrid } from './grid.ts';

/**
 * WGSL: `isDropped(index)` for the mask of (site, draw, seed), by the hash pcg4d of Jarzynski & Olano
 * (JCGT 9(3), 2020). Reads `seed` and `draw`, one i32 each.
 */
function isDropped(rate: number, site: number): string {
  if (dropoutThreshold(rate) === 0) return 'fn isDropped(index: u32) -> bool { return false; }';
  return `
fn isDropped(index: u32) -> bool {
  var v = vec4u(index, ${stream.dropout + site}u, bitcast<u32>(draw[0]), bitcast<u32>(seed[0]));
  v = v * 1664525u + 1013904223u;
  v.x += v.y * v.w;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.w += v.y * v.z;
  v ^= v >> vec4u(16u);
  // The other three of the hash are not used.
  return v.x + v.y * v.w < ${dropoutThreshold(rate)}u;
}`;
}

/**
 * y [...] = `kept` where the mask keeps an element (or its row of `width`), else `dropped`.
 * @param kept WGSL in terms of `value`, an f32 or a vector of them
 */
function masked(
  kernel: string,
  { x, seed, draw, y }: Readonly<Record<'x' | 'seed' | 'draw' | 'y', Operand>>,
  { rate, site, width }: { rate: number; site: number; width: number },
  kept: string,
  dropped: number,
): Dispatch {
  // A vector must not reach over rows.
  const vector = width === 1 || width % 4 === 0 ? commonVector(x, y) : 1;
  const wide = (operand: Operand): Operand => ({ ...operand, vector });
  const isDrawn = dropoutThreshold(rate) > 0;
  const mask =
    width > 1 || vector === 1
      ? `isDropped(${width > 1 ? `i / ${width / vector}u` : 'i'})`
      : 'vec4<bool>(isDropped(4u * i), isDropped(4u * i + 1u), isDropped(4u * i + 2u), isDropped(4u * i + 3u))';
  const nothing = `${floats(vector)}(${literal(dropped)})`;
  return {
    kernel,
    reads: { x: wide(x), ...(isDrawn ? { seed, draw } : {}) },
    writes: { y: wide(y) },
    code: `${isDropped(rate, site)}
${perThread(
  y.length / vector,
  `  let value = ${floats(vector)}(x[i]);
  y[i] = ${wgslType(wide(y))}(select(${kept}, ${nothing}, ${mask}));`,
)}`,
    workgroups: threadGrid(y.length / vector),
  };
}

export const randomKernels = {
  dropout: ({ inputs, outputs, attributes: { rate, site, unit } }, setup) => {
    const [x, seed, draw, y] = [...inputs, ...outputs].map((tensor) => setup.operand(tensor));
    const isRow = unit === 'row';
    const width = isRow ? last(inputs[0].shape) : 1;
    const kept = isRow ? 'value' : `value * ${literal(1 / (1 - rate))}`;
    return [masked(`dropout ${unit}`, { x, seed, draw, y }, { rate, site, width }, kept, 0)];
  },
  expertDropout: ({ inputs, outputs, attributes: { rate, site } }, setup) => {
    const [x, seed, draw, y] = [...inputs, ...outputs].map((tensor) => setup.operand(tensor));
    const mask = { rate, site, width: 1 };
    return [masked('expertDropout', { x, seed, draw, y }, mask, 'value', hiddenLogit)];
  },
} satisfies Partial<Kernels>;
