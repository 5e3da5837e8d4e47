/**
 * What an op's case is, and how the inputs of cases are made. Values are multiples of 2^-10, so that
 * float32 holds them, and a step of 2^-12 beside them, exactly; cases keep them away from kinks (ReLU
 * at zero, equal routing logits) by more than that step.
 */
import { sizeOf, type DType, type Graph, type Tensor } from '../graph.ts';
import { uniform } from '../random.ts';

export interface CaseInput {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly values: Float32Array | Int32Array;
}

export interface OpCase {
  /** What is special about this case. */
  readonly name: string;
  readonly inputs: readonly CaseInput[];
  /** Builds the op on the inputs, and whatever it needs before it; returns the op's outputs. */
  build(inputs: readonly Tensor[], graph: Graph): readonly Tensor[];
  /** Output that gradients come from; 0 unless said otherwise. */
  readonly differentiated?: number;
}

const caseStream = 0x7000_0000;

/** Numbers one after the other, seeded by a name. */
function generator(seed: string): () => number {
  const hash = [...seed].reduce((sum, character) => sum * 31 + character.charCodeAt(0), 7) >>> 0;
  let index = 0;
  return () => uniform(caseStream, 0, index++, hash);
}

const exact = (value: number): number => Math.round(value * 1024) / 1024;

/** Values in [−1, 1), or as `shape` them. */
export function dense(
  seed: string,
  shape: readonly number[],
  form: (draw: number) => number = (draw) => 2 * draw - 1,
): CaseInput {
  const next = generator(seed);
  const values = Float32Array.from({ length: sizeOf(shape) }, () => exact(form(next())));
  return { shape, dtype: 'f32', values };
}

/** Outputs of a ReLU: about half are zero, the others at least 1/16. */
export const rectified = (seed: string, shape: readonly number[]): CaseInput =>
  dense(seed, shape, (draw) => (draw < 0.5 ? 0 : draw - 0.4375));

export const positive = (seed: string, shape: readonly number[]): CaseInput =>
  dense(seed, shape, (draw) => 0.125 + draw);

export function whole(seed: string, shape: readonly number[], limit: number): CaseInput {
  const next = generator(seed);
  const values = Int32Array.from({ length: sizeOf(shape) }, () => Math.floor(next() * limit));
  return { shape, dtype: 'i32', values };
}

/** For every group of every row, the numbers below `experts` in random order. */
function orders(seed: string, count: number, experts: number): number[][] {
  const next = generator(seed);
  return Array.from({ length: count }, () => {
    const keys = Array.from({ length: experts }, next);
    return keys.map((_, i) => i).toSorted((a, b) => keys[a] - keys[b]);
  });
}

/** Different experts for every group: [.., G·k]. */
export function choices(
  seed: string,
  lead: readonly number[],
  groups: number,
  k: number,
  experts: number,
): CaseInput {
  const values = orders(seed, sizeOf(lead) * groups, experts).flatMap((order) => order.slice(0, k));
  return { shape: [...lead, groups * k], dtype: 'i32', values: Int32Array.from(values) };
}

/** Logits of which no two in a group are closer than 1/4: [.., G·E]. */
export function separatedLogits(
  seed: string,
  lead: readonly number[],
  groups: number,
  experts: number,
): CaseInput {
  const next = generator(`${seed} noise`);
  const values = orders(seed, sizeOf(lead) * groups, experts).flatMap((order) =>
    order.map((rank) => exact((rank - experts / 2) * 0.375 + next() * 0.125)),
  );
  return { shape: [...lead, groups * experts], dtype: 'f32', values: Float32Array.from(values) };
}
