/** Sums and maxima over threads of a workgroup, through workgroup memory: the same on every GPU. */
import { threads } from './grid.ts';

/**
 * WGSL: `fn name(value, thread) -> type`, which combines the values of `lanes` neighbouring threads and
 * gives all of them the result. A tree, so sums stay accurate. All threads of the workgroup must call it.
 * @param lanes a power of two up to {@link threads}
 * @param combine WGSL of an associative operation on a and b
 */
export function reduction(name: string, type: string, lanes: number, combine: string): string {
  if (lanes === 1) return `fn ${name}(value: ${type}, thread: u32) -> ${type} { return value; }`;
  const levels: string[] = [];
  for (let half = lanes / 2; half >= 1; half /= 2)
    levels.push(`
  if (thread % ${lanes}u < ${half}u) {
    let a = ${name}Values[thread];
    let b = ${name}Values[thread + ${half}u];
    ${name}Values[thread] = ${combine};
  }
  workgroupBarrier();`);
  return `
var<workgroup> ${name}Values: array<${type}, ${threads}>;
fn ${name}(value: ${type}, thread: u32) -> ${type} {
  workgroupBarrier(); // others may still read the result before this one
  ${name}Values[thread] = value;
  workgroupBarrier();${levels.join('')}
  return ${name}Values[thread - thread % ${lanes}u];
}`;
}

/** WGSL: `fn total(value) -> f32`, the sum of a vector's elements. */
export const total = (vector: 1 | 4): string =>
  vector === 1
    ? 'fn total(v: f32) -> f32 { return v; }'
    : 'fn total(v: vec4<f32>) -> f32 { return (v.x + v.y) + (v.z + v.w); }';

/** WGSL: `fn largest(value) -> f32`, the largest of a vector's elements. */
export const largest = (vector: 1 | 4): string =>
  vector === 1
    ? 'fn largest(v: f32) -> f32 { return v; }'
    : 'fn largest(v: vec4<f32>) -> f32 { return max(max(v.x, v.y), max(v.z, v.w)); }';

/** WGSL: the smallest f32, where a maximum begins. There is no literal for −∞. */
export const lowest = '-3.4028234e38f';
