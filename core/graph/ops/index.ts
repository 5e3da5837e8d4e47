/**
 * The closed set of ops. An executor's kernels are typed by it: a missing kernel does not compile.
 * To add an op: one file with its shape rule, gradient and reference, one line here, cases in
 * testing/, and a kernel in every executor.
 */
import type { Node, Op } from '../graph.ts';
import { adamwOp } from './adamw.ts';
import { addOp } from './add.ts';
import { attentionOp } from './attention.ts';
import { attentionGradOp } from './attentionGrad.ts';
import { broadcastOp } from './broadcast.ts';
import { columnSumOp } from './columnSum.ts';
import { concatOp } from './concat.ts';
import { crossEntropyOp } from './crossEntropy.ts';
import { crossEntropyGradOp } from './crossEntropyGrad.ts';
import { cvmmOp } from './cvmm.ts';
import { cvmmGradInputOp } from './cvmmGradInput.ts';
import { cvmmGradWeightOp } from './cvmmGradWeight.ts';
import { dropoutOp } from './dropout.ts';
import { embeddingOp } from './embedding.ts';
import { embeddingGradOp } from './embeddingGrad.ts';
import { expertDropoutOp } from './expertDropout.ts';
import { globalNormOp } from './globalNorm.ts';
import { layernormOp } from './layernorm.ts';
import { layernormGradOp } from './layernormGrad.ts';
import { matmulOp } from './matmul.ts';
import { meanOp } from './mean.ts';
import { reluGradOp } from './reluGrad.ts';
import { ropeOp } from './rope.ts';
import { routerLossOp } from './routerLoss.ts';
import { routerLossGradOp } from './routerLossGrad.ts';
import { scaleOp } from './scale.ts';
import { selectOp } from './select.ts';
import { selectGradOp } from './selectGrad.ts';
import { sinusoidOp } from './sinusoid.ts';
import { sliceOp } from './slice.ts';
import { softmaxOp } from './softmax.ts';
import { softmaxGradOp } from './softmaxGrad.ts';

export const ops = {
  adamw: adamwOp,
  add: addOp,
  attention: attentionOp,
  attentionGrad: attentionGradOp,
  broadcast: broadcastOp,
  columnSum: columnSumOp,
  concat: concatOp,
  crossEntropy: crossEntropyOp,
  crossEntropyGrad: crossEntropyGradOp,
  cvmm: cvmmOp,
  cvmmGradInput: cvmmGradInputOp,
  cvmmGradWeight: cvmmGradWeightOp,
  dropout: dropoutOp,
  embedding: embeddingOp,
  embeddingGrad: embeddingGradOp,
  expertDropout: expertDropoutOp,
  globalNorm: globalNormOp,
  layernorm: layernormOp,
  layernormGrad: layernormGradOp,
  matmul: matmulOp,
  mean: meanOp,
  reluGrad: reluGradOp,
  rope: ropeOp,
  routerLoss: routerLossOp,
  routerLossGrad: routerLossGradOp,
  scale: scaleOp,
  select: selectOp,
  selectGrad: selectGradOp,
  sinusoid: sinusoidOp,
  slice: sliceOp,
  softmax: softmaxOp,
  softmaxGrad: softmaxGradOp,
} as const;

export type OpName = keyof typeof ops;
export type AttributesOf<N extends OpName> = (typeof ops)[N] extends Op<infer A> ? A : never;
export type NodeOf<N extends OpName> = Node<AttributesOf<N>>;
