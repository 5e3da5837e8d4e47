import type { Op, Tensor } from '../graph.ts';
import { f32 } from '../shapes.ts';

export interface ScaleAttributes {
  readonly factor: number;
}

/** factor · x. */
export const scaleOp: Op<ScaleAttributes> = {
  name: 'scale',
  infer: ([x]) => [f32(...x.shape)],
  backward: ({ attributes: { factor } }, [dy]) => [
    dy === undefined ? undefined : scale(dy, factor),
  ],
  reference([x], [y], { factor }) {
    for (let i = 0; i < y.data.length; i++) y.data[i] = factor * x.data[i];
  },
};

/** See {@link scaleOp}. */
export function scale(x: Tensor, factor: number): Tensor {
  return x.graph.emit(scaleOp, [x], { factor })[0];
}
