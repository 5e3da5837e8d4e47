import type { Dispatch, Operand } from '../kernel.ts';
import { commonVector, floats, perThread, threadGrid } from './grid.ts';
import { wgslType } from '../shader.ts';

/** Copies a range into one of another type. */
export function convert(from: Operand, to: Operand): Dispatch {
  const vector = commonVector(from, to);
  const [x, y] = [from, to].map((operand): Operand => ({ ...operand, vector }));
  const count = from.length / vector;
  return {
    kernel: 'convert',
    reads: { x },
    writes: { y },
    code: perThread(count, `  y[i] = ${wgslType(y)}(${floats(vector)}(x[i]));`),
    workgroups: threadGrid(count),
  };
}
