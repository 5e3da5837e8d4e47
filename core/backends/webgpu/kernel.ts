/**
 * What a WebGPU kernel is. Shapes are static, so a kernel is made once for a node of a plan: it gives
 * WGSL with all sizes written into it, and the dispatches that a step replays. The same text is
 * compiled once, however many nodes use it.
 */
import type { Node, Tensor } from '../../graph/graph.ts';
import type { NodeOf, OpName } from '../../graph/ops/index.ts';
import type { DeviceFacts } from './loadWebgpu.ts';

export type ElementType = 'f32' | 'f16' | 'i32' | 'u32';

export const elementBytes: Readonly<Record<ElementType, number>> = {
  f32: 4,
  f16: 2,
  i32: 4,
  u32: 4,
};

/** A range of a buffer, as a kernel sees it. */
export interface Operand {
  /** Which buffer; the program knows what is behind the name. Two ranges of one buffer have one place. */
  readonly place: string;
  /** Where the range begins, in bytes: a multiple of {@link rangeAlignment}. */
  readonly offset: number;
  /** Elements. */
  readonly length: number;
  readonly type: ElementType;
  /** How many elements the code reads as one vector: declared as array<vecN<type>>. */
  readonly vector: 1 | 2 | 4;
}

/** What WebGPU asks of the offset of a binding. */
export const rangeAlignment = 256;

/** Bytes of an operand's range, a whole number of the largest vectors. */
export function rangeBytes({ length, type }: Pick<Operand, 'length' | 'type'>): number {
  return Math.ceil((length * elementBytes[type]) / 16) * 16;
}

/** The same range in vectors, where the code asks for them: only if the length is a multiple. */
export function inVectors(operand: Operand, vector: 2 | 4): Operand {
  return { ...operand, vector };
}

/** Whether two operands are the same range: an output that is written over an input. */
export function sameRange(a: Operand, b: Operand): boolean {
  return a.place === b.place && a.offset === b.offset;
}

/** One run of a compute shader. */
export interface Dispatch {
  /** Name in profiles, such as "matmul nt". */
  readonly kernel: string;
  /** Buffers by their names in the code. A name must not begin with an underscore. */
  readonly reads: Readonly<Record<string, Operand>>;
  /** Also read, where the code does. No range may be in both, nor twice. */
  readonly writes: Readonly<Record<string, Operand>>;
  /** WGSL without the declarations of its buffers, which are made from `reads` and `writes`. */
  readonly code: string;
  readonly workgroups: readonly [number, number, number];
}

/** Ranges that live as long as a program. */
export type Ranges<N extends string> = Readonly<Record<N, Operand>>;

/** What a kernel may use while it is made. */
export interface Setup {
  readonly facts: DeviceFacts;
  /** Where a tensor's values are: f32 (or f16, see storage.ts), row-major; integers as i32. */
  operand(tensor: Tensor): Operand;
  /** Memory for this node alone, with whatever was left in it. */
  scratch(type: ElementType, length: number): Operand;
  /**
   * Something derived from a tensor that several nodes use, such as its elements in another order: made
   * once a run, by the dispatches of `make`, before the first node that asks for it.
   * @param key what it is; the same key gives the same ranges
   */
  derived<N extends string>(
    tensor: Tensor,
    key: string,
    ranges: Readonly<Record<N, readonly [ElementType, number]>>,
    make: (ranges: Ranges<N>) => readonly Dispatch[],
  ): Ranges<N>;
}

export type Kernel<N extends OpName> = (node: NodeOf<N>, setup: Setup) => readonly Dispatch[];

/** A kernel for every op: a missing one does not compile. */
export type Kernels = { readonly [N in OpName]: Kernel<N> };

/** The kernel of a node. The table is typed by name, which a node knows only at run time. */
export function dispatchesOf(kernels: Kernels, node: Node, setup: Setup): readonly Dispatch[] {
  const kernel = kernels[node.op.name as OpName] as (
    node: Node,
    setup: Setup,
  ) => readonly Dispatch[];
  return kernel(node, setup);
}
