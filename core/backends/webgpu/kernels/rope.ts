/** Positions as angles: rotary embeddings, and the sinusoidal codes. */
import { ropeAngle } from '../../../graph/ops/rope.ts';
import type { Dispatch, Kernels, Operand } from '../kernel.ts';
import { wgslType } from '../shader.ts';
import { frequenciesOf, rotationFunction } from './angles.ts';
import { floats, perThread, threadGrid } from './grid.ts';

/** Sequences, or positions, for which one thread uses what it knows of its channels. */
const repeats = 8;

/** WebGPU's limit for arrays of constants is 2047 elements. */
const mostFrequencies = 1024;

/**
 * Codes of the pairs of channels from `from` on, at most {@link mostFrequencies}.
 * y [count, width]
 */
function codes(
  y: Operand,
  { count, width, first }: { count: number; width: number; first: number },
  from: number,
): Dispatch {
  const pairs = Math.min(Math.ceil(width / 2) - from, mostFrequencies);
  const radians = Array.from({ length: pairs }, (_, i) => 10_000 ** ((-2 * (from + i)) / width));
  const furthest = Math.max(Math.abs(first), Math.abs(first + count - 1));
  const items = Math.ceil(count / repeats) * pairs;
  return {
    kernel: 'sinusoid',
    reads: {},
    writes: { y },
    code: `${rotationFunction(frequenciesOf(radians, furthest), 1)}
${perThread(
  items,
  `  let pair = i % ${pairs}u;
  let channel = 2u * (${from}u + pair);
  let firstRow = i / ${pairs}u * ${repeats}u;
  for (var row = firstRow; row < min(firstRow + ${repeats}u, ${count}u); row++) {
    let turned = rotation(${first} + i32(row), pair);
    y[row * ${width}u + channel] = ${wgslType(y)}(turned.sine);
    if (channel + 1u < ${width}u) { y[row * ${width}u + channel + 1u] = ${wgslType(y)}(turned.cosine); }
  }`,
)}`,
    workgroups: threadGrid(items),
  };
}

export const ropeKernels = {
  sinusoid: ({ outputs, attributes }, setup) => {
    const y = setup.operand(outputs[0]);
    const pairs = Math.ceil(attributes.width / 2);
    const parts = Array.from(
      { length: Math.ceil(pairs / mostFrequencies) },
      (_, i) => i * mostFrequencies,
    );
    return parts.map((from) => codes(y, attributes, from));
  },

  // One thread a pair (or four) of channels of a head at a position, for some sequences of the batch;
  // or channels that are not rotated, at the end of a head.
  rope: ({ inputs, outputs, attributes }, setup) => {
    const { heads, rotated, base, offset, inverse } = attributes;
    const [batch, length, channels] = inputs[0].shape; // [B, T, H·P]
    const vector = (rotated / 2) % 4 === 0 && (channels / heads) % 4 === 0 ? 4 : 1;
    const [x, y] = [...inputs, ...outputs].map((tensor): Operand => ({
      ...setup.operand(tensor),
      vector,
    }));
    const [value, type] = [floats(vector), wgslType(y)];
    const [half, width] = [rotated / 2 / vector, channels / heads / vector];
    const units = width - half;
    const heights = length * heads * units;
    const count = Math.ceil(batch / repeats) * heights;
    const radians = Array.from({ length: rotated / 2 }, (_, i) => ropeAngle(1, i, rotated, base));
    const furthest = Math.max(Math.abs(offset), Math.abs(offset + length - 1));
    const rotate = `
    let position = ${offset} + i32(head / ${heads}u);
    let turned = rotation(position, unit);
    for (var sequence = firstSequence; sequence < endSequence; sequence++) {
      let at = (sequence * ${length * heads}u + head) * ${width}u + unit;
      let first = ${value}(x[at]);
      let second = ${value}(x[at + ${half}u]);
      y[at] = ${type}(first * turned.cosine ${inverse ? '+' : '-'} second * turned.sine);
      y[at + ${half}u] = ${type}(second * turned.cosine ${inverse ? '-' : '+'} first * turned.sine);
    }
    return;`;
    return [
      {
        kernel: 'rope',
        reads: { x },
        writes: { y },
        code: `${half === 0 ? '' : rotationFunction(frequenciesOf(radians, furthest), vector)}
${perThread(
  count,
  `  let unit = i % ${units}u;
  let head = i / ${units}u % ${length * heads}u; // of [T, H]
  let firstSequence = i / ${heights}u * ${repeats}u;
  let endSequence = min(firstSequence + ${repeats}u, ${batch}u);
  if (unit < ${half}u) {${half === 0 ? '' : rotate}
  }
  for (var sequence = firstSequence; sequence < endSequence; sequence++) {
    let at = (sequence * ${length * heads}u + head) * ${width}u + ${half}u + unit;
    y[at] = ${type}(${value}(x[at]));
  }`,
)}`,
        workgroups: threadGrid(count),
      },
    ];
  },
} satisfies Partial<Kernels>;
