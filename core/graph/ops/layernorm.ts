import type { Op, Tensor } from '../graph.ts';
import { f32, last, lead, requireShape, rowsOf, sameShape, show } from '../shapes.ts';
import { layernormGrad } from './layernormGrad.ts';

export interface LayernormAttributes {
  readonly epsilon: number;
}

/**
 * Layer normalisation over the last axis (biased variance):
 * x [..., D], gain [D], bias [D] → y [..., D], and mean [...] and reciprocal deviation [...] for the
 * backward pass.
 */
export const layernormOp: Op<LayernormAttributes> = {
  name: 'layernorm',
  infer([x, gain, bias]) {
    const width = last(x.shape);
    for (const vector of [gain, bias])
      requireShape(
        sameShape(vector.shape, [width]),
        'layernorm',
        `gain and bias must be [${width}], not ${show(vector)}.`,
      );
    return [f32(...x.shape), f32(...lead(x.shape)), f32(...lead(x.shape))];
  },
  backward({ inputs: [x, gain], outputs: [, mean, deviation] }, [dy]) {
    if (dy === undefined) return [];
    return [...layernormGrad(x, gain, mean, deviation, dy)];
  },
  reference([x, gain, bias], [y, means, deviations], { epsilon }) {
    const width = last(x.shape);
    for (let row = 0; row < rowsOf(x.shape); row++) {
      const values = x.data.subarray(row * width, (row + 1) * width);
      const mean = values.reduce((sum, value) => sum + value, 0) / width;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width;
      const reciprocal = 1 / Math.sqrt(variance + epsilon);
      means.data[row] = mean;
      deviations.data[row] = reciprocal;
      for (let d = 0; d < width; d++)
        y.data[row * width + d] = (values[d] - mean) * reciprocal * gain.data[d] + bias.data[d];
    }
  },
};

/** See {@link layernormOp}; returns y alone. */
export function layernorm(x: Tensor, gain: Tensor, bias: Tensor, epsilon = 1e-5): Tensor {
  return x.graph.emit(layernormOp, [x, gain, bias], { epsilon })[0];
}
