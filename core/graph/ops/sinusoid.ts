import type { Graph, Op, Tensor } from '../graph.ts';
import { f32, requireShape } from '../shapes.ts';

export interface SinusoidAttributes {
  /** Rows. */
  readonly count: number;
  readonly width: number;
  /** Position of the first row; may be negative. */
  readonly first: number;
}

/** Value of a channel at a position: channels 2i and 2i + 1 are sine and cosine of p·10000^(−2i/width). */
export function sinusoidAt(position: number, channel: number, width: number): number {
  const pair = Math.floor(channel / 2);
  const angle = position * Math.exp((-Math.log(10_000) * 2 * pair) / width);
  return channel % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
}

/**
 * Sinusoidal codes (Vaswani et al. 2017) of the positions from `first` on, a constant:
 * nothing → [count, width]. Sines and cosines alternate, as in the authors' Transformer-XL modules.
 */
export const sinusoidOp: Op<SinusoidAttributes> = {
  name: 'sinusoid',
  infer(_inputs, { count, width, first }) {
    requireShape(
      count >= 1 && width >= 1 && [count, width, first].every(Number.isInteger),
      'sinusoid',
      `no codes for ${count} positions from ${first} on in ${width} channels.`,
    );
    return [f32(count, width)];
  },
  reference(_inputs, [y], { width, first }) {
    for (let i = 0; i < y.data.length; i++)
      y.data[i] = sinusoidAt(first + Math.floor(i / width), i % width, width);
  },
};

/** See {@link sinusoidOp}. */
export function sinusoid(graph: Graph, attributes: SinusoidAttributes): Tensor {
  return graph.emit(sinusoidOp, [], attributes)[0];
}
