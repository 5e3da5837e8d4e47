import { SwitchyardError } from '../contract/errors.ts';

/**
 * Exchanges two variables of an executor, whatever holds their values.
 * @throws SwitchyardError('internal') unless both exist, in one shape
 */
export function swapVariables<V extends { readonly shape: readonly number[] }>(
  variables: Map<string, V>,
  a: string,
  b: string,
): void {
  const [first, second] = [variables.get(a), variables.get(b)];
  if (first === undefined || second === undefined || first.shape.join() !== second.shape.join())
    throw new SwitchyardError(
      'internal',
      `Variables "${a}" and "${b}" cannot be swapped: both must exist, in one shape.`,
    );
  variables.set(a, second);
  variables.set(b, first);
}
