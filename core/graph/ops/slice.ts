import type { Op, Tensor } from '../graph.ts';
import { f32, requireShape, show } from '../shapes.ts';

export interface SliceAttributes {
  /** First token taken. */
  readonly start: number;
  /** Tokens taken. */
  readonly length: number;
}

/** A part of every sequence: x [B, T, C] → its tokens from `start` on, [B, length, C]. No gradient. */
export const sliceOp: Op<SliceAttributes> = {
  name: 'slice',
  infer([x], { start, length }) {
    requireShape(x.shape.length === 3, 'slice', `x must be [B, T, C], not ${show(x)}.`);
    requireShape(
      Number.isInteger(start) &&
        Number.isInteger(length) &&
        start >= 0 &&
        length >= 1 &&
        start + length <= x.shape[1],
      'slice',
      `cannot take ${length} tokens from ${start} on of ${show(x)}.`,
    );
    return [f32(x.shape[0], length, x.shape[2])];
  },
  reference([x], [y], { start, length }) {
    const [batch, tokens, channels] = x.shape;
    for (let row = 0; row < batch; row++) {
      const from = (row * tokens + start) * channels;
      y.data.set(x.data.subarray(from, from + length * channels), row * length * channels);
    }
  },
};

/** See {@link sliceOp}. */
export function slice(x: Tensor, start: number, length: number): Tensor {
  return x.graph.emit(sliceOp, [x], { start, length })[0];
}
