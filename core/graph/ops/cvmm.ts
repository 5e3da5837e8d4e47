import type { Op, Tensor, TensorType } from '../graph.ts';
import { f32, last, lead, requireShape, requireType, rowsOf, sameShape, show } from '../shapes.ts';
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
    const [experts, rows, columns] = matrices.shape;
    const [inner, width] = transpose ? [columns, rows] : [rows, columns];
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

  reference([x, indices, matrices, weights], [y], { groups, k, from, to, transpose, activation }) {
    const choices = groups * k;
    const experts = matrices.shape[0] / groups;
    const [, rows, columns] = matrices.shape;
    const [inner, width] = transpose ? [columns, rows] : [rows, columns];
    for (let n = 0; n < rowsOf(x.shape); n++) {
      for (let c = 0; c < choices; c++) {
        const expert = Math.floor(c / k) * experts + indices.data[n * choices + c];
        const weight = (weights as typeof weights | undefined)?.data[n * choices + c] ?? 1;
        const xStart = (n * slots(from, groups, k) + slotOf(from, c, k)) * inner;
        const yStart = (n * slots(to, groups, k) + slotOf(to, c, k)) * width;
        for (let i = 0; i < inner; i++) {
          for (let o = 0; o < width; o++) {
            const cell = transpose
              ? (expert * width + o) * inner + i
              : (expert * inner + i) * width + o;
            y.data[yStart + o] += weight * x.data[xStart + i] * matrices.data[cell];
          }
        }
      }
    }
    if (activation === 'relu')
      for (let i = 0; i < y.data.length; i++) y.data[i] = Math.max(0, y.data[i]);
  },
};

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
