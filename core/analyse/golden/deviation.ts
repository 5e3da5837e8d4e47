/** How far results may be from golden numbers, and how far they are. */
import { SwitchyardError } from '../../contract/errors.ts';

/** What float32 implementations meet, as a share of a tensor's largest magnitude; losses absolute. */
export const tolerance = {
  tensor: 2e-5,
  loss: 1e-5,
  trainingLoss: 1e-4,
  trainingNorm: 1e-4,
} as const;

/** How far one tensor is off, as a multiple of what is allowed. */
export interface Deviation {
  tensor: string;
  /** Largest difference over the tensor's largest magnitude, or absolute for losses. */
  error: number;
  allowed: number;
  relative: boolean;
}

/**
 * Largest difference, as a share of the expected tensor's largest magnitude; not a number where any
 * of them is not.
 * @throws SwitchyardError('invalid-data') naming a tensor of another size
 */
export function compare(
  tensor: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
): Deviation {
  requireCount(tensor, expected.length, actual.length);
  let difference = 0;
  let magnitude = 0;
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(actual[i] - expected[i]));
    magnitude = Math.max(magnitude, Math.abs(expected[i]));
  }
  const error = difference === 0 ? 0 : difference / Math.max(magnitude, Number.MIN_VALUE);
  return { tensor, error, allowed: tolerance.tensor, relative: true };
}

/** Largest difference, absolute or as a share of each expected number; otherwise like {@link compare}. */
export function compareScalars(
  tensor: string,
  actual: readonly number[],
  expected: Float32Array,
  allowed: number,
  relative: boolean,
): Deviation {
  requireCount(tensor, expected.length, actual.length);
  const errors = Array.from(
    expected,
    (value, i) => Math.abs(actual[i] - value) / (relative ? Math.abs(value) : 1),
  );
  return { tensor, error: Math.max(0, ...errors), allowed, relative };
}

/** @throws SwitchyardError('invalid-data') unless a tensor has that many values */
export function requireCount(tensor: string, count: number, needed: number): void {
  if (count === needed) return;
  throw new SwitchyardError(
    'invalid-data',
    `The tensor "${tensor}" has ${count} values where ${needed} are needed.`,
  );
}

/** The verdict over all tensors of a case, naming the one that is furthest off. */
export function judge(deviations: readonly Deviation[]): {
  result: 'passed' | 'failed';
  detail: string;
} {
  // Not-a-number counts as infinitely far off.
  const excess = ({ error, allowed }: Deviation) =>
    Number.isNaN(error) ? Infinity : error / allowed;
  const worst = deviations.reduce((a, b) => (excess(b) > excess(a) ? b : a));
  const { tensor, error, allowed, relative } = worst;
  const amount = relative
    ? `${error.toExponential(1)} of its largest magnitude`
    : error.toExponential(1);
  const result = excess(worst) <= 1 ? 'passed' : 'failed';
  return {
    result,
    detail: `worst of ${deviations.length} tensors: ${tensor}, off by ${amount}, allowed ${allowed}`,
  };
}
