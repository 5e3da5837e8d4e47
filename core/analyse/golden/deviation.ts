/** How far results may be from golden numbers, and how far they are. */

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

/** Largest difference, as a share of the expected tensor's largest magnitude. */
export function compare(
  tensor: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
): Deviation {
  let difference = 0;
  let magnitude = 0;
  for (let i = 0; i < expected.length; i++) {
    // Math.max would keep NaN only in some orders; the comparison below makes it stick.
    const off = Math.abs(actual[i] - expected[i]);
    if (!(off <= difference)) difference = off;
    magnitude = Math.max(magnitude, Math.abs(expected[i]));
  }
  const error =
    actual.length === expected.length ? difference / Math.max(magnitude, Number.MIN_VALUE) : NaN;
  return { tensor, error: difference === 0 ? 0 : error, allowed: tolerance.tensor, relative: true };
}

export function compareScalars(
  tensor: string,
  actual: readonly number[],
  expected: Float32Array,
  allowed: number,
  relative: boolean,
): Deviation {
  const errors = Array.from(
    expected,
    (value, i) => Math.abs(actual[i] - value) / (relative ? Math.abs(value) : 1),
  );
  return { tensor, error: errors.reduce((a, b) => (b <= a ? a : b), 0), allowed, relative };
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
