/** Writing a head's channels, which are padded in the kernels and are not in the outputs. */
import { inVectors, type Operand } from '../kernel.ts';
import { wgslType } from '../shader.ts';

/** An output as its kernel writes it: four channels at a time where a head has a multiple of four. */
export const inQuads = (operand: Operand, width: number): Operand =>
  width % 4 === 0 ? inVectors(operand, 4) : operand;

/**
 * WGSL: writes `value`, four channels of a head, as far as the head has them.
 * @param output made by {@link inQuads}, bound as `name`
 * @param start WGSL of the place of the head's channel 0; @param quad WGSL of which four channels
 */
export function storeQuad(
  name: string,
  output: Operand,
  width: number,
  start: string,
  quad: string,
  value = 'value',
): string {
  if (output.vector === 4)
    return `if (${quad} < ${width / 4}u) { ${name}[(${start}) / 4u + ${quad}] = ${wgslType(output)}(${value}); }`;
  return `
      let four = ${value};
      for (var c = 0u; c < 4u; c++) {
        if (4u * (${quad}) + c < ${width}u) { ${name}[${start} + 4u * (${quad}) + c] = ${wgslType(output)}(four[c]); }
      }`;
}
