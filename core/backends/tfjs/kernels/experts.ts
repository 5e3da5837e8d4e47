/**
 * Which way cvmm runs on a CPU: dense-masked or sorted by expert. Measured at 2048 tokens of width
 * 128 with 4 to 32 experts of 24 to 128 columns: what decides is how many experts are idle for a
 * token, E/k, and whether a layout has one row a choice, which dense-masked serves with k passes.
 */
import type { Node } from '../../../graph/graph.ts';
import type { CvmmAttributes } from '../../../graph/ops/cvmm.ts';
import { sortedOnHost } from '../host/sortedOnHost.ts';
import type { Kernel, Kernels, TfjsBackend } from '../kernel.ts';
import { expertKernelsDense } from './expertsDense.ts';
import { expertKernelsSorted } from './expertsSorted.ts';
import { sortedOnDevice } from './sortedOnDevice.ts';

/** Sorted by expert, rows moved by TensorFlow.js ops, or by loops; the same results. */
export const expertKernelsSortedOnDevice = expertKernelsSorted(sortedOnDevice);
export const expertKernelsSortedOnHost = expertKernelsSorted(sortedOnHost);

type ExpertKernels = Pick<Kernels, 'cvmm' | 'cvmmGradInput' | 'cvmmGradWeight'>;

/** The largest E/k at which dense-masked is the faster way, when no layout is per choice. */
const denseUpTo: Readonly<Record<TfjsBackend, number>> = { tensorflow: 8, wasm: 2, cpu: 0 };

/** @param all the node's expert matrices in all, G·E */
function isSorted(
  backend: TfjsBackend,
  { attributes: { groups, k, from, to } }: Node<CvmmAttributes>,
  all: number,
): boolean {
  return from === 'choice' || to === 'choice' || all / groups / k > denseUpTo[backend];
}

/** A kernel that decides for every node by its sizes. */
function either<N extends keyof ExpertKernels>(
  name: N,
  backend: TfjsBackend,
  matricesOf: (node: Parameters<Kernel<N>['prepare']>[0]) => number,
): Kernel<N> {
  // wasm gathers slowly, and cpu is JavaScript anyway.
  const sorted = backend === 'tensorflow' ? expertKernelsSortedOnDevice : expertKernelsSortedOnHost;
  const kernels = { dense: expertKernelsDense[name], sorted: sorted[name] };
  const kernelFor = (node: Parameters<Kernel<N>['prepare']>[0]) =>
    kernels[
      isSorted(backend, node as Node<CvmmAttributes>, matricesOf(node)) ? 'sorted' : 'dense'
    ] as Kernel<N>;
  return {
    prepare: (node, setup) => kernelFor(node).prepare(node, setup),
    scratch: (node) => kernelFor(node).scratch?.(node, backend) ?? 0,
  };
}

export function expertKernels(backend: TfjsBackend): ExpertKernels {
  return {
    cvmm: either('cvmm', backend, ({ inputs }) => inputs[2].shape[0]),
    cvmmGradInput: either('cvmmGradInput', backend, ({ inputs }) => inputs[3].shape[0]),
    cvmmGradWeight: either('cvmmGradWeight', backend, ({ attributes }) => attributes.experts),
  };
}
