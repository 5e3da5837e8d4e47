import type { Op, Tensor } from '../graph.ts';
import { f32, last, requireShape } from '../shapes.ts';

export interface RopeAttributes {
  readonly heads: number;
  /** Channels rotated at the start of every head; even. */
  readonly rotated: number;
  readonly base: number;
  /** Position of the first token. */
  readonly offset: number;
  /** Rotate backwards: the inverse, and the gradient. */
  readonly inverse: boolean;
}

/** Angle of channel pair i at a position: position · base^(−2i/rotated) (Su et al. 2021, RoFormer). */
export function ropeAngle(position: number, pair: number, rotated: number, base: number): number {
  return position * base ** ((-2 * pair) / rotated);
}

/**
 * Rotary positions on the first `rotated` channels of every head, paired half with half as the
 * authors do: x·cos + rotateHalf(x)·sin, rotateHalf(x) = (−x₂, x₁). x [B, T, H·P] → the same shape.
 */
export const ropeOp: Op<RopeAttributes> = {
  name: 'rope',
  infer([x], { heads, rotated }) {
    requireShape(x.shape.length === 3, 'rope', 'x must be [B, T, H·P].');
    const width = last(x.shape) / heads;
    requireShape(
      Number.isInteger(width) && rotated % 2 === 0 && rotated <= width,
      'rope',
      `cannot rotate ${rotated} of ${width} channels.`,
    );
    return [f32(...x.shape)];
  },
  backward({ attributes }, [dy]) {
    if (dy === undefined) return [];
    return [rope(dy, { ...attributes, inverse: !attributes.inverse })];
  },
  reference([x], [y], { heads, rotated, base, offset, inverse }) {
    const [batch, length, channels] = x.shape;
    const width = channels / heads;
    const half = rotated / 2;
    const sign = inverse ? -1 : 1;
    y.data.set(x.data);
    for (let b = 0; b < batch; b++) {
      for (let t = 0; t < length; t++) {
        for (let h = 0; h < heads; h++) {
          const start = (b * length + t) * channels + h * width;
          for (let i = 0; i < half; i++) {
            const angle = sign * ropeAngle(offset + t, i, rotated, base);
            const first = x.data[start + i];
            const second = x.data[start + half + i];
            y.data[start + i] = first * Math.cos(angle) - second * Math.sin(angle);
            y.data[start + half + i] = second * Math.cos(angle) + first * Math.sin(angle);
          }
        }
      }
    }
  },
};

/** See {@link ropeOp}. */
export function rope(x: Tensor, attributes: RopeAttributes): Tensor {
  return x.graph.emit(ropeOp, [x], attributes)[0];
}
