import type { Op, Tensor } from '../graph.ts';
import { f32, requireSame } from '../shapes.ts';
import { scale } from './scale.ts';

export interface AddAttributes {
  readonly factor: number;
}

/** a + factor · b, equal shapes. Residual connections, and accumulation of gradients. */
export const addOp: Op<AddAttributes> = {
  name: 'add',
  infer([a, b]) {
    requireSame(a, b, 'add');
    return [f32(...a.shape)];
  },
  backward({ attributes: { factor } }, [dy], needs) {
    if (dy === undefined) return [];
    const db = needs[1] ? (factor === 1 ? dy : scale(dy, factor)) : undefined;
    return [needs[0] ? dy : undefined, db];
  },
  reference([a, b], [y], { factor }) {
    for (let i = 0; i < y.data.length; i++) y.data[i] = a.data[i] + factor * b.data[i];
  },
  inPlace: () => 0,
};

/** See {@link addOp}. */
export function add(a: Tensor, b: Tensor, factor = 1): Tensor {
  return a.graph.emit(addOp, [a, b], { factor })[0];
}
