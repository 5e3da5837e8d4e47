/** Values on their way to the GPU and back. */
import type { Feed } from '../../graph/executor.ts';
import { sizeOf, uniformTypes, type Tensor, type UniformName } from '../../graph/graph.ts';
import type { Plan } from '../../graph/plan.ts';
import { inputValues, uniformValue } from '../values.ts';
import { rangeAlignment, type ElementType, type Operand } from './kernel.ts';

interface Target {
  readonly plan: Plan;
  /** In which type an input is stored. */
  typeOf(tensor: Tensor): ElementType;
  write(place: string, offset: number, values: Int32Array | Float32Array | Uint16Array): void;
}

/** Uniforms in the order in which they lie in their buffer, {@link rangeAlignment} bytes apart. */
export const uniformNames = Object.keys(uniformTypes) as UniformName[];

/** Writes a run's inputs and uniforms, checked against the plan. */
export function writeFeed(program: Target, feed: Feed): void {
  const { plan } = program;
  for (const [name, tensor] of plan.inputs)
    program.write(
      `input ${name}`,
      0,
      stored(inputValues(feed, name, tensor), program.typeOf(tensor)),
    );
  const words = rangeAlignment / 4;
  const uniforms = new Int32Array(words * uniformNames.length);
  const floats = new Float32Array(uniforms.buffer);
  for (const [i, name] of uniformNames.entries()) {
    if (!plan.uniforms.has(name)) continue;
    const value = uniformValue(feed, name);
    if (uniformTypes[name] === 'i32') uniforms[i * words] = value | 0;
    else floats[i * words] = value;
  }
  program.write('uniforms', 0, uniforms);
}

/** Values as they are stored; halves by their bits, as Dawn cannot take a Float16Array. */
function stored(
  values: Int32Array | Float32Array,
  type: ElementType,
): Int32Array | Float32Array | Uint16Array {
  if (type !== 'f16') return values;
  // Writes take whole words.
  const halves = new Float16Array(2 * Math.ceil(values.length / 2));
  halves.set(values);
  return new Uint16Array(halves.buffer);
}

/** A copy of a tensor's values from mapped memory. */
export function readFeed(
  mapped: ArrayBuffer,
  tensor: Tensor,
  { type }: Operand,
): Int32Array | Float32Array {
  const size = sizeOf(tensor.shape);
  if (type === 'f16') return Float32Array.from(new Float16Array(mapped, 0, size));
  return type === 'f32'
    ? new Float32Array(mapped, 0, size).slice()
    : new Int32Array(mapped, 0, size).slice();
}
