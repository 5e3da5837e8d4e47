import type { Op, Tensor } from '../graph.ts';
import { f32 } from '../shapes.ts';
import { eachChoice, matrixSize, type CvmmAttributes } from './cvmm.ts';

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
  reference([dy, x, indices, matrices, weights], outputs, attributes) {
    const [dx] = outputs;
    const dWeights = outputs.at(1);
    const { inner, width } = matrixSize(matrices.shape, attributes.transpose);
    eachChoice(indices, weights, matrices.shape, attributes, (choice) => {
      const { position, weight, xStart, yStart, cell } = choice;
      let dWeight = 0;
      for (let i = 0; i < inner; i++) {
        let u = 0;
        for (let o = 0; o < width; o++) u += dy.data[yStart + o] * matrices.data[cell(i, o)];
        dx.data[xStart + i] += weight * u;
        dWeight += x.data[xStart + i] * u;
      }
      if (dWeights !== undefined) dWeights.data[position] = dWeight;
    });
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
