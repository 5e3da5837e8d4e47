/** The conditional product of experts and its gradients; see core/graph/ops/cvmm.ts for what they mean. */
import { matrixSize } from '../../../graph/ops/cvmm.ts';
import { combine, combineWithGradient } from '../experts/combine.ts';
import { expertChoices, itemsPerRow } from '../experts/expertChoices.ts';
import { groupedProduct } from '../experts/groupedProduct.ts';
import { weightGradient } from '../experts/weightGradient.ts';
import type { Kernels, Operand, Setup } from '../kernel.ts';

/** Memory for a row of every item; what is made of them is stored in the same precision. */
const itemRows = (setup: Setup, length: number): Operand =>
  setup.scratch(setup.facts.precision === 'f16' ? 'f16' : 'f32', length);

export const expertKernels = {
  cvmm: ({ inputs, outputs, attributes }, setup) => {
    const [x, indices, matrices] = inputs;
    const { from, to, transpose, activation } = attributes;
    const choices = expertChoices(indices, matrices.shape[0], attributes);
    const { inner, width } = matrixSize(matrices.shape, transpose);
    const weights = inputs.length > 3 ? setup.operand(inputs[3]) : undefined;
    const y = setup.operand(outputs[0]);
    const perRow = itemsPerRow(to, choices);
    const isDirect = perRow === 1;
    const items = isDirect ? y : itemRows(setup, choices.items * width);
    const product = groupedProduct(
      {
        kernel: 'cvmm',
        choices,
        x: setup.operand(x),
        perRow: itemsPerRow(from, choices),
        matrices: setup.operand(matrices),
        transpose,
        inner,
        width,
        y: items,
        weights: isDirect ? weights : undefined,
        relu: activation === 'relu',
      },
      setup,
    );
    if (isDirect) return [product];
    return [product, combine({ kernel: 'cvmm, adding up', items, weights, perRow, width, y })];
  },

  cvmmGradInput: ({ inputs, outputs, attributes }, setup) => {
    const [dy, x, indices, matrices] = inputs;
    const { from, to, transpose } = attributes;
    const choices = expertChoices(indices, matrices.shape[0], attributes);
    const { inner, width } = matrixSize(matrices.shape, transpose);
    const weights = inputs.length > 4 ? setup.operand(inputs[4]) : undefined;
    const dx = setup.operand(outputs[0]);
    const perRow = itemsPerRow(from, choices);
    const isDirect = perRow === 1 && weights === undefined;
    // u[item] = dy[row of item] · W[expert]ᵀ, without the weights: their gradient needs it so.
    const items = isDirect ? dx : itemRows(setup, choices.items * inner);
    const product = groupedProduct(
      {
        kernel: 'cvmmGradInput',
        choices,
        x: setup.operand(dy),
        perRow: itemsPerRow(to, choices),
        matrices: setup.operand(matrices),
        transpose: !transpose,
        inner: width,
        width: inner,
        y: items,
        weights: undefined,
        relu: false,
      },
      setup,
    );
    if (isDirect) return [product];
    const sums = { kernel: 'cvmmGradInput, adding up', items, perRow, width: inner, y: dx };
    return [
      product,
      weights === undefined
        ? combine({ ...sums, weights })
        : combineWithGradient({
            ...sums,
            weights,
            x: setup.operand(x),
            dWeights: setup.operand(outputs[1]),
          }),
    ];
  },

  cvmmGradWeight: ({ inputs, outputs, attributes }, setup) => {
    const [x, dy, indices] = inputs;
    const { from, to, transpose, experts } = attributes;
    const choices = expertChoices(indices, experts, attributes);
    const { inner, width } = matrixSize(outputs[0].shape, transpose);
    const rows = {
      operand: setup.operand(x),
      perRow: itemsPerRow(from, choices),
      width: inner,
      weights: inputs.length > 3 ? setup.operand(inputs[3]) : undefined,
    };
    const gradients = {
      operand: setup.operand(dy),
      perRow: itemsPerRow(to, choices),
      width,
      weights: undefined,
    };
    const [a, b] = transpose ? [gradients, rows] : [rows, gradients];
    return weightGradient({ choices, a, b, result: setup.operand(outputs[0]) }, setup);
  },
} satisfies Partial<Kernels>;
