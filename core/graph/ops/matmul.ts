import type { Op, Tensor } from '../graph.ts';
import { f32, last, lead, requireShape, rowsOf, sameShape, show } from '../shapes.ts';
import { columnSum } from './columnSum.ts';
import { reluGrad } from './reluGrad.ts';

export interface MatmulAttributes {
  /** Contract over the rows of both operands instead: aᵀ·b. */
  readonly transposeA: boolean;
  /** b is stored [N, K]. */
  readonly transposeB: boolean;
  readonly activation: 'none' | 'relu';
}

/**
 * Matrix product with the leading axes of `a` flattened into rows, optional bias and activation.
 * - plain: a [..., K] · b [K, N] (+ bias [N]) → [..., N]
 * - transposeB: a [..., K] · b [N, K]ᵀ → [..., N]
 * - transposeA: a [..., M]ᵀ · b [..., N], contracted over all leading axes → [M, N] (weight gradients)
 */
export const matmulOp: Op<MatmulAttributes> = {
  name: 'matmul',

  infer([a, b, bias], { transposeA, transposeB, activation }) {
    requireShape(a.shape.length >= 2, 'matmul', `a must have at least two axes, not ${show(a)}.`);
    if (transposeA) {
      requireShape(
        !transposeB && bias === undefined && activation === 'none',
        'matmul',
        'transposeA allows nothing else.',
      );
      requireShape(
        sameShape(lead(a.shape), lead(b.shape)),
        'matmul',
        `leading axes of ${show(a)} and ${show(b)} differ.`,
      );
      return [f32(last(a.shape), last(b.shape))];
    }
    requireShape(b.shape.length === 2, 'matmul', `b must have two axes, not ${show(b)}.`);
    const [inner, width] = transposeB ? [b.shape[1], b.shape[0]] : [b.shape[0], b.shape[1]];
    requireShape(
      last(a.shape) === inner,
      'matmul',
      `inner axes of ${show(a)} and ${show(b)} differ.`,
    );
    if (bias !== undefined)
      requireShape(
        sameShape(bias.shape, [width]),
        'matmul',
        `bias must be [${width}], not ${show(bias)}.`,
      );
    return [f32(...lead(a.shape), width)];
  },

  backward({ inputs, outputs, attributes: { transposeA, transposeB, activation } }, [dy], needs) {
    if (dy === undefined) return [];
    requireShape(!transposeA, 'matmul', 'the transposeA form has no gradient rule.');
    const [a, b] = inputs;
    const dPre = activation === 'relu' ? reluGrad(outputs[0], dy) : dy;
    return [
      needs[0] ? matmul(dPre, b, { transposeB: !transposeB }) : undefined,
      needs[1]
        ? transposeB
          ? matmul(dPre, a, { transposeA: true })
          : matmul(a, dPre, { transposeA: true })
        : undefined,
      needs[2] ? columnSum(dPre) : undefined,
    ];
  },

  reference([a, b, bias], [y], { transposeA, transposeB, activation }) {
    const rows = transposeA ? last(a.shape) : rowsOf(a.shape);
    const inner = transposeA ? rowsOf(a.shape) : last(a.shape);
    const width = last(y.shape);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < width; j++) {
        let sum = bias === undefined ? 0 : bias.data[j];
        for (let l = 0; l < inner; l++) {
          const left = transposeA ? a.data[l * rows + i] : a.data[i * inner + l];
          const right = transposeB ? b.data[j * inner + l] : b.data[l * width + j];
          sum += left * right;
        }
        y.data[i * width + j] = activation === 'relu' ? Math.max(0, sum) : sum;
      }
    }
  },
};

/** See {@link matmulOp}. */
export function matmul(
  a: Tensor,
  b: Tensor,
  options: Partial<MatmulAttributes> & { bias?: Tensor } = {},
): Tensor {
  const { bias, transposeA = false, transposeB = false, activation = 'none' } = options;
  const inputs = bias === undefined ? [a, b] : [a, b, bias];
  return a.graph.emit(matmulOp, inputs, { transposeA, transposeB, activation })[0];
}
