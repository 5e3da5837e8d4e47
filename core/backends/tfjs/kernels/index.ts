/** Which kernel each backend uses for each op. */
import { hostElementwise } from '../host/elementwise.ts';
import { hostLoss } from '../host/loss.ts';
import { hostNormalisation } from '../host/normalisation.ts';
import { hostOptimizer } from '../host/optimizer.ts';
import { hostRope } from '../host/rope.ts';
import { hostRouting } from '../host/routing.ts';
import { hostSequences } from '../host/sequences.ts';
import type { Kernels, TfjsBackend } from '../kernel.ts';
import { attentionKernels } from './attention.ts';
import { elementwiseKernels } from './elementwise.ts';
import {
  expertKernels,
  expertKernelsSortedOnDevice,
  expertKernelsSortedOnHost,
} from './experts.ts';
import { expertKernelsDense } from './expertsDense.ts';
import { lossKernels } from './loss.ts';
import { normalisationKernels } from './normalisation.ts';
import { optimizerKernels } from './optimizer.ts';
import { productKernels } from './products.ts';
import { routerLossKernels } from './routerLoss.ts';
import { routingKernels } from './routing.ts';
import { sequenceKernels } from './sequences.ts';

/** Every op in TensorFlow.js ops: no tensor is read back to JavaScript, so they suit a GPU. */
export const deviceKernels: Kernels = {
  ...attentionKernels,
  ...elementwiseKernels,
  ...expertKernelsDense,
  ...lossKernels,
  ...normalisationKernels,
  ...optimizerKernels,
  ...productKernels,
  ...routerLossKernels,
  ...routingKernels,
  ...sequenceKernels,
};

/** The ops that have a loop in plain JavaScript as well. */
export const hostKernels = {
  ...hostElementwise,
  ...hostLoss,
  ...hostNormalisation,
  ...hostOptimizer,
  ...hostRope,
  ...hostRouting,
  ...hostSequences,
} satisfies Partial<Kernels>;

interface Target {
  readonly backend: TfjsBackend;
  readonly gpu: boolean;
}

/** The kernels of a backend, as measured to be fastest at the sizes of the tiny presets. */
export function kernelsFor({ backend, gpu }: Target): Kernels {
  if (gpu) return deviceKernels;
  const experts = expertKernels(backend);
  // Loops would be as fast here, but reading tensors back makes V8 collect garbage at every step.
  if (backend === 'tensorflow') return { ...deviceKernels, ...experts };
  const kernels: Kernels = { ...deviceKernels, ...hostKernels, ...experts };
  if (backend === 'cpu') return kernels;
  // Vector passes beat the loops where these branch unpredictably or mostly add.
  const { columnSum, crossEntropy, layernorm, reluGrad, softmax } = deviceKernels;
  return { ...kernels, columnSum, crossEntropy, layernorm, reluGrad, softmax };
}

/** Complete tables of kernels that a backend could use as well, by name; tests run them too. */
export function alternativeKernels({ backend, gpu }: Target): Readonly<Record<string, Kernels>> {
  if (gpu) return {};
  const host = { ...deviceKernels, ...hostKernels };
  const sorted = { ...host, ...expertKernelsSortedOnHost };
  // Some TensorFlow.js ops are missing or wrong on wasm (unsortedSegmentSum; oneHot of float32).
  return backend === 'wasm'
    ? { host, sorted }
    : {
        device: deviceKernels,
        'sorted on device': { ...deviceKernels, ...expertKernelsSortedOnDevice },
        host,
        sorted,
      };
}
