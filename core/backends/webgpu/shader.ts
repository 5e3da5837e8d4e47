/** From a dispatch to the text of its shader, and what of it WebGPU compiles and binds. */
import { SwitchyardError } from '../../contract/errors.ts';
import { sameRange, type Dispatch, type Operand } from './kernel.ts';

export interface Binding {
  readonly name: string;
  readonly operand: Operand;
  readonly access: 'read' | 'read_write';
}

/**
 * The bindings of a dispatch in their order. WebGPU cannot bind one buffer for reading and for writing
 * at once, even in different ranges, so what is read of a buffer that is also written is declared as
 * if it were written.
 * @throws SwitchyardError('internal') when one range would be bound twice
 */
export function bindingsOf({ kernel, reads, writes }: Dispatch): readonly Binding[] {
  const written = new Set(Object.values(writes).map(({ place }) => place));
  const bindings = [
    ...Object.entries(reads).map(([name, operand]): Binding => ({
      name,
      operand,
      access: written.has(operand.place) ? 'read_write' : 'read',
    })),
    ...Object.entries(writes).map(([name, operand]): Binding => ({
      name,
      operand,
      access: 'read_write',
    })),
  ];
  for (const [i, a] of bindings.entries())
    for (const b of bindings.slice(0, i))
      if (a.access === 'read_write' && sameRange(a.operand, b.operand))
        throw new SwitchyardError(
          'internal',
          `Kernel "${kernel}" binds one range as "${b.name}" and "${a.name}".`,
        );
  return bindings;
}

const vectorName = { 1: '', 2: 'vec2', 4: 'vec4' } as const;

/** The WGSL type of what a binding's array holds. */
export function wgslType({ type, vector }: Operand): string {
  return vector === 1 ? type : `${vectorName[vector]}<${type}>`;
}

/** The whole shader of a dispatch: language features, bindings, the kernel's own text. */
export function shaderOf(dispatch: Dispatch): string {
  const bindings = bindingsOf(dispatch);
  const { code } = dispatch;
  const usesF16 =
    /\bf16\b|\bvec[234]h\b/u.test(code) || bindings.some(({ operand }) => operand.type === 'f16');
  const usesMatrices = code.includes('subgroup_matrix');
  const lines = [
    ...(usesF16 ? ['enable f16;'] : []),
    ...(/\bsubgroup/u.test(code) ? ['enable subgroups;'] : []),
    ...(usesMatrices
      ? [
          'enable chromium_experimental_subgroup_matrix;',
          'diagnostic(off, chromium.subgroup_matrix_uniformity);',
        ]
      : []),
    ...bindings.map(
      ({ name, operand, access }, i) =>
        `@group(0) @binding(${i}) var<storage, ${access}> ${name}: array<${wgslType(operand)}>;`,
    ),
  ];
  return `${lines.join('\n')}\n${code}`;
}
