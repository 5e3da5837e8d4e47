import type { Op, Tensor } from '../graph.ts';
import { f32, last, rowsOf } from '../shapes.ts';

/**
 * Backward pass of layernorm: x [..., D], gain [D], mean [...], reciprocal deviation [...],
 * dy [..., D] → dx [..., D], dgain [D], dbias [D].
 */
export const layernormGradOp: Op<null> = {
  name: 'layernormGrad',
  infer: ([x, gain]) => [f32(...x.shape), f32(...gain.shape), f32(...gain.shape)],
  reference([x, gain, means, deviations, dy], [dx, dGain, dBias]) {
    const width = last(x.shape);
    for (let row = 0; row < rowsOf(x.shape); row++) {
      const start = row * width;
      // With x̂ the normalised row and g = dy·gain: dx = (g − mean(g) − x̂·mean(g·x̂)) / deviation.
      let meanG = 0;
      let meanGX = 0;
      for (let d = 0; d < width; d++) {
        const normal = (x.data[start + d] - means.data[row]) * deviations.data[row];
        const g = dy.data[start + d] * gain.data[d];
        meanG += g / width;
        meanGX += (g * normal) / width;
        dGain.data[d] += dy.data[start + d] * normal;
        dBias.data[d] += dy.data[start + d];
      }
      for (let d = 0; d < width; d++) {
        const normal = (x.data[start + d] - means.data[row]) * deviations.data[row];
        const g = dy.data[start + d] * gain.data[d];
        dx.data[start + d] = (g - meanG - normal * meanGX) * deviations.data[row];
      }
    }
  },
};

/** See {@link layernormGradOp}: [dx, dgain, dbias]. */
export function layernormGrad(
  x: Tensor,
  gain: Tensor,
  mean: Tensor,
  deviation: Tensor,
  dy: Tensor,
): readonly Tensor[] {
  return x.graph.emit(layernormGradOp, [x, gain, mean, deviation, dy], null);
}
