import type { Op, Tensor } from '../graph.ts';
import { f32, last } from '../shapes.ts';
import { eachChoice, matrixSize, slots, type Choice, type CvmmAttributes } from './cvmm.ts';

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
    const { inner, width } = matrixSize(dMatrices.shape, attributes.transpose);
    const visit = ({ weight, xStart, yStart, cell }: Choice) => {
      for (let i = 0; i < inner; i++)
        for (let o = 0; o < width; o++)
          dMatrices.data[cell(i, o)] += weight * x.data[xStart + i] * dy.data[yStart + o];
    };
    eachChoice(indices, weights, dMatrices.shape, attributes, visit);
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
