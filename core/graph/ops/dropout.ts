import { sizeOf, type Op, type Tensor } from '../graph.ts';
import { dropoutMask } from '../random.ts';
import { f32, last, requireShape, rowsOf } from '../shapes.ts';

export interface DropoutAttributes {
  /** Probability of zero, in [0, 1). */
  readonly rate: number;
  /** Which dropout of the model; every one has its own masks. */
  readonly site: number;
  /**
   * What is dropped at a time. 'element': every element by itself, the kept ones divided by 1 − rate.
   * 'row': whole rows of the last axis, the kept ones as they are.
   */
  readonly unit: 'element' | 'row';
}

/** @throws SwitchyardError('internal') unless the rate is in [0, 1) */
export function requireRate(rate: number, op: string): void {
  requireShape(rate >= 0 && rate < 1, op, `the rate must be in [0, 1), not ${rate}.`);
}

/**
 * Dropout by the mask of random.ts for (site, draw, seed), the same on every backend: inverted dropout
 * of elements, or layer dropout, which takes rows as a layer's tokens.
 * x [...], seed [] and draw [] of i32 → [...]. Its gradient is itself with the same mask.
 */
export const dropoutOp: Op<DropoutAttributes> = {
  name: 'dropout',
  infer([x], { rate }) {
    requireRate(rate, 'dropout');
    return [f32(...x.shape)];
  },
  backward({ attributes }, [dy]) {
    return [dy === undefined ? undefined : dropout(dy, attributes)];
  },
  reference([x, seed, draw], [y], { rate, site, unit }) {
    const width = unit === 'row' ? last(x.shape) : 1;
    // The factor in full precision: the mask itself is float32.
    const kept = unit === 'row' ? 1 : 1 / (1 - rate);
    const mask = dropoutMask(x.data.length / width, rate, site, draw.data[0], seed.data[0]);
    for (let i = 0; i < y.data.length; i++)
      y.data[i] = mask[Math.floor(i / width)] === 0 ? 0 : x.data[i] * kept;
  },
};

/** One factor for each of x's elements or, of unit 'row', for each row: zero, or what keeps it. */
export function dropoutFactors(
  shape: readonly number[],
  { rate, site, unit }: DropoutAttributes,
  seed: number,
  draw: number,
): Float32Array<ArrayBuffer> {
  if (unit === 'element') return dropoutMask(sizeOf(shape), rate, site, draw, seed);
  return dropoutMask(rowsOf(shape), rate, site, draw, seed).map((factor) => (factor === 0 ? 0 : 1));
}

/** See {@link dropoutOp}; `unit` is 'element' unless given. */
export function dropout(
  x: Tensor,
  attributes: Omit<DropoutAttributes, 'unit'> & Partial<Pick<DropoutAttributes, 'unit'>>,
): Tensor {
  const { graph } = x;
  const inputs = [x, graph.uniform('seed'), graph.uniform('draw')];
  return graph.emit(dropoutOp, inputs, { unit: 'element', ...attributes })[0];
}
