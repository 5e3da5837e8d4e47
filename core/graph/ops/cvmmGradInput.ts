import type { Op, Tensor } from '../graph.ts';
import { f32, rowsOf } from '../shapes.ts';
import { slotOf, slots, type CvmmAttributes } from './cvmm.ts';

/**
 * Gradients of cvmm's x and weights in one pass, because both need u = dy · W[expert]ᵀ:
 * dx[n, from] = Σ w·u, dw[n,g,j] = x[n, from] · u. Attributes are those of the forward op.
 * dy, x, indices, matrices (, weights) → dx (, dWeights).
 */
export const cvmmGradInputOp: Op<CvmmAttributes> = {
  name: 'cvmmGradInput',
  infer([, x, indices, , weights]) {
    const hasWeights = (weights as typeof weights | undefined) !== undefined;
    return hasWeights ? [f32(...x.shape), f32(...indices.shape)] : [f32(...x.shape)];
  },
  reference([dy, x, indices, matrices, weights], [dx, dWeights], attributes) {
    const { groups, k, from, to, transpose } = attributes;
    const choices = groups * k;
    const experts = matrices.shape[0] / groups;
    const [, rows, columns] = matrices.shape;
    const [inner, width] = transpose ? [columns, rows] : [rows, columns];
    for (let n = 0; n < rowsOf(x.shape); n++) {
      for (let c = 0; c < choices; c++) {
        const expert = Math.floor(c / k) * experts + indices.data[n * choices + c];
        const weight = (weights as typeof weights | undefined)?.data[n * choices + c] ?? 1;
        const xStart = (n * slots(from, groups, k) + slotOf(from, c, k)) * inner;
        const yStart = (n * slots(to, groups, k) + slotOf(to, c, k)) * width;
        let dWeight = 0;
        for (let i = 0; i < inner; i++) {
          let u = 0;
          for (let o = 0; o < width; o++) {
            const cell = transpose
              ? (expert * width + o) * inner + i
              : (expert * inner + i) * width + o;
            u += dy.data[yStart + o] * matrices.data[cell];
          }
          dx.data[xStart + i] += weight * u;
          dWeight += x.data[xStart + i] * u;
        }
        if ((dWeights as typeof dWeights | undefined) !== undefined)
          dWeights.data[n * choices + c] = dWeight;
      }
    }
  },
};

/** See {@link cvmmGradInputOp}: [dx, dWeights if there are weights]. */
export function cvmmGradInput(
  dy: Tensor,
  x: Tensor,
  indices: Tensor,
  matrices: Tensor,
  weights: Tensor | undefined,
  attributes: CvmmAttributes,
): readonly Tensor[] {
  const inputs = [dy, x, indices, matrices, ...(weights === undefined ? [] : [weights])];
  return x.graph.emit(cvmmGradInputOp, inputs, attributes);
}
