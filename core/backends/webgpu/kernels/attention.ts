/** Attention: packed operands, then one kernel that never has the T × S matrix in memory. */
import { sizeOf } from '../../../graph/graph.ts';
import { namedInputs } from '../../../graph/ops/attention.ts';
import {
  forwardPlain,
  probabilitiesPlain,
  type ForwardOperands,
} from '../attention/forwardPlain.ts';
import { chooseMatrixTile, forwardMatrix } from '../attention/forwardMatrix.ts';
import { packInputs } from '../attention/layout.ts';
import type { Kernels } from '../kernel.ts';

export const attentionKernels = {
  attention: ({ inputs, outputs: [y, saved], attributes }, setup) => {
    const named = namedInputs(inputs, attributes);
    const packed = packInputs(named, attributes, setup);
    const savesLse = attributes.save === 'lse';
    const lse = savesLse
      ? setup.operand(saved)
      : setup.scratch('f32', sizeOf(y.shape) / packed.sizes.valueWidth);
    const operands: ForwardOperands = {
      packed,
      causal: attributes.causal,
      visible: named.visible && setup.operand(named.visible),
      y: setup.operand(y),
      lse,
    };
    const { facts } = setup;
    const tile = chooseMatrixTile(packed, facts);
    return [
      ...packed.dispatches,
      tile ? forwardMatrix(operands, tile) : forwardPlain(operands, facts),
      ...(savesLse ? [] : [probabilitiesPlain(operands, setup.operand(saved), facts)]),
    ];
  },
} satisfies Partial<Kernels>;
