import type { Op, Tensor } from '../graph.ts';
import { f32, last, rowsOf } from '../shapes.ts';
import { slotOf, slots, type CvmmAttributes } from './cvmm.ts';

export interface CvmmGradWeightAttributes extends CvmmAttributes {
  /** Expert matrices in all, G·E. */
  readonly experts: number;
}

/**
 * Gradient of cvmm's expert matrices: x, dy, indices (, weights) → dW [G·E, I, O] (with `transpose`:
 * [G·E, O, I]), dW[e] = Σ over the choices of expert e of w · xᵀ·dy.
 */
export const cvmmGradWeightOp: Op<CvmmGradWeightAttributes> = {
  name: 'cvmmGradWeight',
  infer([x, dy], { experts, groups, k, from, to, transpose }) {
    const inner = last(x.shape) / slots(from, groups, k);
    const width = last(dy.shape) / slots(to, groups, k);
    return [transpose ? f32(experts, width, inner) : f32(experts, inner, width)];
  },
  reference([x, dy, indices, weights], [dMatrices], attributes) {
    const { groups, k, from, to, transpose } = attributes;
    const choices = groups * k;
    const experts = attributes.experts / groups;
    const inner = last(x.shape) / slots(from, groups, k);
    const width = last(dy.shape) / slots(to, groups, k);
    for (let n = 0; n < rowsOf(x.shape); n++) {
      for (let c = 0; c < choices; c++) {
        const expert = Math.floor(c / k) * experts + indices.data[n * choices + c];
        const weight = (weights as typeof weights | undefined)?.data[n * choices + c] ?? 1;
        const xStart = (n * slots(from, groups, k) + slotOf(from, c, k)) * inner;
        const yStart = (n * slots(to, groups, k) + slotOf(to, c, k)) * width;
        for (let i = 0; i < inner; i++) {
          for (let o = 0; o < width; o++) {
            const cell = transpose
              ? (expert * width + o) * inner + i
              : (expert * inner + i) * width + o;
            dMatrices.data[cell] += weight * x.data[xStart + i] * dy.data[yStart + o];
          }
        }
      }
    }
  },
};

/** See {@link cvmmGradWeightOp}. */
export function cvmmGradWeight(
  x: Tensor,
  dy: Tensor,
  indices: Tensor,
  weights: Tensor | undefined,
  attributes: CvmmGradWeightAttributes,
): Tensor {
  const inputs = [x, dy, indices, ...(weights === undefined ? [] : [weights])];
  return x.graph.emit(cvmmGradWeightOp, inputs, attributes)[0];
}
