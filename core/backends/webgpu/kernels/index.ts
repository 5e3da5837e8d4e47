/** Which kernel the WebGPU backend uses for each op. */
import type { Kernels } from '../kernel.ts';
import { attentionKernels } from './attention.ts';
import { attentionGradKernels } from './attentionGrad.ts';
import { elementwiseKernels } from './elementwise.ts';
import { productKernels } from './products.ts';
import { lossKernels } from './loss.ts';
import { normalisationKernels } from './normalisation.ts';
import { optimizerKernels } from './optimizer.ts';
import { sumKernels } from './sums.ts';
import { expertKernels } from './experts.ts';
import { embeddingKernels } from './embedding.ts';
import { randomKernels } from './random.ts';
import { ropeKernels } from './rope.ts';
import { routerLossKernels } from './routerLoss.ts';
import { routingKernels } from './routing.ts';
import { sequenceKernels } from './sequences.ts';

export const kernels: Kernels = {
  ...attentionKernels,
  ...attentionGradKernels,
  ...elementwiseKernels,
  ...productKernels,
  ...lossKernels,
  ...normalisationKernels,
  ...optimizerKernels,
  ...sumKernels,
  ...embeddingKernels,
  ...expertKernels,
  ...randomKernels,
  ...ropeKernels,
  ...routerLossKernels,
  ...routingKernels,
  ...sequenceKernels,
};
