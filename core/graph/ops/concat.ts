import type { Op, Tensor } from '../graph.ts';
import { f32, requireShape, show } from '../shapes.ts';
import { slice } from './slice.ts';

/** One sequence after the other: a [B, Ta, C], b [B, Tb, C] → [B, Ta + Tb, C]. */
export const concatOp: Op<null> = {
  name: 'concat',
  infer([a, b]) {
    requireShape(
      a.shape.length === 3 &&
        b.shape.length === 3 &&
        a.shape[0] === b.shape[0] &&
        a.shape[2] === b.shape[2],
      'concat',
      `the inputs must be [B, T, C] of equal B and C, not ${show(a)} and ${show(b)}.`,
    );
    const [batch, length, channels] = a.shape;
    return [f32(batch, length + b.shape[1], channels)];
  },
  backward({ inputs: [a, b] }, [dy], needs) {
    if (dy === undefined) return [];
    const length = a.shape[1];
    return [
      needs[0] ? slice(dy, 0, length) : undefined,
      needs[1] ? slice(dy, length, b.shape[1]) : undefined,
    ];
  },
  reference([a, b], [y]) {
    const [sizeA, sizeB] = [a, b].map(({ shape: [, length, channels] }) => length * channels);
    for (let row = 0; row < a.shape[0]; row++) {
      const start = row * (sizeA + sizeB);
      y.data.set(a.data.subarray(row * sizeA, (row + 1) * sizeA), start);
      y.data.set(b.data.subarray(row * sizeB, (row + 1) * sizeB), start + sizeA);
    }
  },
};

/** See {@link concatOp}. */
export function concat(a: Tensor, b: Tensor): Tensor {
  return a.graph.emit(concatOp, [a, b], null)[0];
}
