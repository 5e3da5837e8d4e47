/** Helpers that kernels share: covering many elements with workgroups, and reading any stored type. */
import type { Operand } from '../kernel.ts';

/** WebGPU's limit in each direction. */
const most = 65_535;

/** Threads of a workgroup where a kernel has no reason for another number; every GPU can have it. */
export const threads = 256;

/** `count` workgroups as a grid, wider than high; the last row may have some too many. */
export function grid(count: number): readonly [number, number, number] {
  const rows = Math.ceil(count / most);
  return [Math.ceil(count / rows), rows, 1];
}

/** WGSL: the entry point of a kernel in which thread i of `count` runs `body`, with i in scope. */
export function perThread(count: number, body: string): string {
  return `
@compute @workgroup_size(${threads})
fn main(
  @builtin(workgroup_id) _group: vec3u,
  @builtin(num_workgroups) _groups: vec3u,
  @builtin(local_invocation_index) _thread: u32,
) {
  let i = (_group.y * _groups.x + _group.x) * ${threads}u + _thread;
  if (i >= ${count}u) { return; }
${body}
}`;
}

/** The workgroups of {@link perThread}. */
export function threadGrid(count: number): readonly [number, number, number] {
  return grid(Math.ceil(count / threads));
}

/** The widest vector in which all of these operands can be read: their lengths are equal multiples. */
export function commonVector(...operands: readonly Operand[]): 1 | 4 {
  return operands.every(({ length }) => length % 4 === 0) ? 4 : 1;
}

/** WGSL's name of f32, or of f32 vectors. */
export const floats = (vector: 1 | 2 | 4): string => (vector === 1 ? 'f32' : `vec${vector}<f32>`);

/** A float that WGSL reads back as the same number. */
export function literal(value: number): string {
  const text = String(Math.fround(value));
  return /[.e]/u.test(text) ? `f32(${text})` : `f32(${text}.0)`;
}
