/** Ops that put sequences together and take them apart: copies of runs of tokens. */
import { sizeOf } from '../../../graph/graph.ts';
import type { Kernels, Operand } from '../kernel.ts';
import { wgslType } from '../shader.ts';
import { floats, perThread, threadGrid } from './grid.ts';

/** The widest vector that divides all of these numbers of elements. */
const dividing = (...lengths: readonly number[]): 1 | 4 =>
  lengths.every((length) => length % 4 === 0) ? 4 : 1;

export const sequenceKernels = {
  concat: ({ inputs, outputs }, setup) => {
    // Elements of one sequence of a, and of b
    const [ofA, ofB] = inputs.map(({ shape }) => sizeOf(shape.slice(1)));
    const vector = dividing(ofA, ofB);
    const [a, b, y] = [...inputs, ...outputs].map((tensor): Operand => ({
      ...setup.operand(tensor),
      vector,
    }));
    const [lengthA, lengthB, count] = [ofA, ofB, y.length].map((length) => length / vector);
    const [type, value] = [wgslType(y), floats(vector)];
    return [
      {
        kernel: 'concat',
        reads: { a, b },
        writes: { y },
        code: perThread(
          count,
          `  let sequence = i / ${lengthA + lengthB}u;
  let at = i % ${lengthA + lengthB}u;
  if (at < ${lengthA}u) {
    y[i] = ${type}(${value}(a[sequence * ${lengthA}u + at]));
  } else {
    y[i] = ${type}(${value}(b[sequence * ${lengthB}u + at - ${lengthA}u]));
  }`,
        ),
        workgroups: threadGrid(count),
      },
    ];
  },
  slice: ({ inputs: [source], outputs, attributes: { start, length } }, setup) => {
    const [, tokens, channels] = source.shape;
    const vector = dividing(tokens * channels, start * channels, length * channels);
    const [x, y] = [source, ...outputs].map((tensor): Operand => ({
      ...setup.operand(tensor),
      vector,
    }));
    const [ofX, from, ofY] = [tokens, start, length].map((count) => (count * channels) / vector);
    const count = y.length / vector;
    return [
      {
        kernel: 'slice',
        reads: { x },
        writes: { y },
        code: perThread(
          count,
          `  let at = i / ${ofY}u * ${ofX}u + ${from}u + i % ${ofY}u;
  y[i] = ${wgslType(y)}(${floats(vector)}(x[at]));`,
        ),
        workgroups: threadGrid(count),
      },
    ];
  },
} satisfies Partial<Kernels>;
