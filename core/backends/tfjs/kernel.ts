/**
 * What a TensorFlow.js kernel is. A kernel is prepared once per node of a program (attributes read,
 * constants made) and gives back the function that runs at every step. It calls public functions of
 * TensorFlow.js only, with explicit backward ops: nothing here differentiates.
 */
import type * as core from '@tensorflow/tfjs-core';
import type { Node } from '../../graph/graph.ts';
import type { NodeOf, OpName } from '../../graph/ops/index.ts';

export type Tf = typeof core;
export type TfTensor = core.Tensor;
export type TfjsBackend = 'tensorflow' | 'wasm' | 'cpu';

/** What a kernel may use while it is prepared and while it runs. */
export interface Setup {
  readonly tf: Tf;
  readonly backend: TfjsBackend;
  /** Whether reading a tensor back is cheap: everything but a GPU. */
  readonly cheapReads: boolean;
  /** Which outputs anything reads; the others may be left undefined. */
  readonly needed: readonly boolean[];
  /** A tensor that lives as long as the program, shared by all nodes that ask for the same key. */
  readonly constant: (key: string, make: () => TfTensor) => TfTensor;
  /** Frees temporaries before the kernel ends. What is not freed goes when it returns. */
  readonly free: (...temporaries: TfTensor[]) => void;
  /** A scalar input as a number; free for uniforms. */
  readonly scalar: (input: number, value: TfTensor) => number;
}

/** Computes a node's outputs. Inputs stay the caller's; outputs are new tensors. */
export type Run = (inputs: readonly TfTensor[]) => readonly (TfTensor | undefined)[];

export interface Kernel<N extends OpName> {
  prepare(node: NodeOf<N>, setup: Setup): Run;
  /** Bytes of temporaries besides inputs and outputs at the worst moment, approximately. */
  scratch?(node: NodeOf<N>, backend: TfjsBackend): number;
}

/** A kernel for every op: a missing one does not compile. */
export type Kernels = { readonly [N in OpName]: Kernel<N> };

/** The kernel of a node. The table is typed by name, which a node knows only at run time. */
export function kernelOf(kernels: Kernels, node: Node): Kernel<OpName> {
  return kernels[node.op.name as OpName];
}

/** A tensor's shape as plain numbers: TensorFlow.js types it as a union over ranks. */
export function shapeOf(tensor: TfTensor): readonly number[] {
  return tensor.shape;
}
