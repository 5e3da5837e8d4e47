/** Checks of the values that executors are given, the same for all of them. */
import { SwitchyardError } from '../contract/errors.ts';
import type { Feed } from '../graph/executor.ts';
import { sizeOf, type Tensor, type UniformName } from '../graph/graph.ts';

/** A run's value of an input. @throws SwitchyardError('internal') unless it has as many values as the tensor */
export function inputValues(
  feed: Feed,
  name: string,
  { shape, dtype }: Tensor,
): Int32Array | Float32Array {
  const inputs = feed.inputs as Readonly<Record<string, Int32Array | Float32Array | undefined>>;
  const given = inputs[name];
  if (given?.length !== sizeOf(shape))
    throw new SwitchyardError(
      'internal',
      `Input "${name}" must have ${sizeOf(shape)} values, not ${given?.length ?? 'none'}.`,
    );
  if (dtype === 'i32') return given instanceof Int32Array ? given : Int32Array.from(given);
  return given instanceof Float32Array ? given : Float32Array.from(given);
}

/** A run's value of a uniform. @throws SwitchyardError('internal') when it was not given */
export function uniformValue(feed: Feed | undefined, name: UniformName): number {
  const value = feed?.uniforms[name];
  if (value === undefined)
    throw new SwitchyardError('internal', `The uniform "${name}" was not given.`);
  return value;
}

/** @throws SwitchyardError('internal') unless there are as many values as a variable's shape has */
export function requireVariableValues(
  variable: string,
  shape: readonly number[],
  values: Float32Array,
): void {
  if (values.length !== sizeOf(shape))
    throw new SwitchyardError(
      'internal',
      `Variable "${variable}" of shape [${shape.join(', ')}] got ${values.length} values, not ${sizeOf(shape)}.`,
    );
}
