import type { Op, ReferenceTensor, Tensor, TensorType } from '../graph.ts';
import { f32, last, lead, requireShape, requireType, sameShape, show } from '../shapes.ts';
import { cvmmGradInput } from './cvmmGradInput.ts';
import { cvmmGradWeight } from './cvmmGradWeight.ts';
import { reluGrad } from './reluGrad.ts';

/**
 * How many row vectors an operand has for each token: one, one a group (head), or one a choice
 * (group and slot of its k experts), side by side in the last axis.
 */
export type Layout = 'token' | 'group' | 'choice';

export interface CvmmAttributes {
  readonly groups: number;
  readonly k: number;
  readonly from: Layout;
  readonly to: Layout;
  /** Multiply by the transposed expert matrices. */
  readonly transpose: boolean;
  /** Applied to the result; 'relu' needs `to: 'choice'` and no weights. */
  readonly activation: 'none' | 'relu';
}

/** Row vectors per token of a layout. */
export function slots(layout: Layout, groups: number, k: number): number {
  return { token: 1, group: groups, choice: groups * k }[layout];
}

/** Index of the row vector that a choice (group·k + slot) of a token uses. */
export function slotOf(layout: Layout, choice: number, k: number): number {
  return { token: 0, group: Math.floor(choice / k), choice }[layout];
}

/**
 * Conditional vector-matrix multiply, the shared primitive of SwitchHead and σ-MoE. For each token,
 * group g and slot j, the row vector of x goes through its chosen expert matrix; the results are
 * weighted and summed as far as the layout `to` has no place for them:
 *
 *   y[n, to] = Σ w[n,g,j] · x[n, from] · W[g·E + indices[n,g,j]]
 *
 * x [..., slots(from)·I], indices [..., G·k] of i32, W [G·E, I, O] (with `transpose`: [G·E, O, I]),
 * weights [..., G·k] or absent (all one) → y [..., slots(to)·O].
 */
export const cvmmOp: Op<CvmmAttributes> = {
  name: 'cvmm',
  infer(inputs, attributes) {
    const [x, indices, matrices, weights] = inputs as [
      TensorType,
      TensorType,
      TensorType,
      TensorType | undefined,
    ];
    const { groups, k, from, to, transpose, activation } = attributes;
    requireType(indices, 'i32', 'cvmm', 'indices');
    const [experts] = matrices.shape;
    const { inner, width } = matrixSize(matrices.shape, transpose);
    requireShape(
      sameShape(lead(x.shape), lead(indices.shape)) &&
        last(indices.shape) === groups * k &&
        last(x.shape) === slots(from, groups, k) * inner &&
        experts % groups === 0 &&
        experts / groups >= k,
      'cvmm',
      `x ${show(x)} (${from}), indices ${show(indices)} and matrices ${show(matrices)} do not fit ${groups} groups of ${k}.`,
    );
    if (weights !== undefined)
      requireShape(
        sameShape(weights.shape, indices.shape),
        'cvmm',
        `weights must be ${show(indices)}, not ${show(weights)}.`,
      );
    requireShape(
      activation === 'none' || (to === 'choice' && weights === undefined),
      'cvmm',
      'an activation needs to: choice and no weights.',
    );
    return [f32(...lead(x.shape), slots(to, groups, k) * width)];
  },

  backward({ inputs: [x, indices, matrices, weights], outputs: [y], attributes }, [dy], needs) {
    if (dy === undefined) return [];
    const dPre = attributes.activation === 'relu' ? reluGrad(y, dy) : dy;
    const linear = { ...attributes, activation: 'none' as const };
    const [dx, dWeights] =
      needs[0] || needs[3] ? cvmmGradInput(dPre, x, indices, matrices, weights, linear) : [];
    const dMatrices = needs[2]
      ? cvmmGradWeight(x, dPre, indices, weights, { ...linear, experts: matrices.shape[0] })
      : undefined;
    return [dx, undefined, dMatrices, dWeights];
  },

  reference([x, indices, matrices, weights], [y], attributes) {
    const { inner, width } = matrixSize(matrices.shape, attributes.transpose);
    eachChoice(indices, weights, matrices.shape, attributes, ({ weight, xStart, yStart, cell }) => {
      for (let i = 0; i < inner; i++)
        for (let o = 0; o < width; o++)
          y.data[yStart + o] += weight * x.data[xStart + i] * matrices.data[cell(i, o)];
    });
    if (attributes.activation === 'relu')
      for (let i = 0; i < y.data.length; i++) y.data[i] = Math.max(0, y.data[i]);
  },
};

/** Rows and columns of the product with expert matrices [G·E, I, O], or [G·E, O, I] transposed. */
export function matrixSize(
  [, rows, columns]: readonly number[],
  transpose: boolean,
): { inner: number; width: number } {
  return transpose ? { inner: columns, width: rows } : { inner: rows, width: columns };
}

/** One choice of one token, as the reference kernels see it. */
export interface Choice {
  /** Position in indices and weights. */
  readonly position: number;
  readonly weight: number;
  /** Where the row vectors of x and y that it connects begin. */
  readonly xStart: number;
  readonly yStart: number;
  /** Position of element (i, o) of its expert's matrix. */
  readonly cell: (i: number, o: number) => number;
}

/** The walk that the reference kernels of cvmm and of its gradients share: every choice of every token. */
export function eachChoice(
  indices: ReferenceTensor,
  weights: ReferenceTensor | undefined,
  matrices: readonly number[],
  { groups, k, from, to, transpose }: CvmmAttributes,
  visit: (choice: Choice) => void,
): void {
  const choices = groups * k;
  const experts = matrices[0] / groups;
  const { inner, width } = matrixSize(matrices, transpose);
  for (const [position, chosen] of indices.data.entries()) {
    const n = Math.floor(position / choices);
    const choice = position % choices;
    const expert = Math.floor(choice / k) * experts + chosen;
    visit({
      position,
      weight: weights?.data[position] ?? 1,
      xStart: (n * slots(from, groups, k) + slotOf(from, choice, k)) * inner,
      yStart: (n * slots(to, groups, k) + slotOf(to, choice, k)) * width,
      cell: (i, o) =>
        transpose ? (expert * width + o) * inner + i : (expert * inner + i) * width + o,
    });
  }
}

/** See {@link cvmmOp}. */
export function cvmm(
  x: Tensor,
  indices: Tensor,
  matrices: Tensor,
  weights: Tensor | undefined,
  attributes: Omit<CvmmAttributes, 'transpose' | 'activation'> & Partial<CvmmAttributes>,
): Tensor {
  const inputs = weights === undefined ? [x, indices, matrices] : [x, indices, matrices, weights];
  return x.graph.emit(cvmmOp, inputs, { transpose: false, activation: 'none', ...attributes })[0];
}
