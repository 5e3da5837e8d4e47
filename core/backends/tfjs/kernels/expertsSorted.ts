/**
 * cvmm and its gradients sorted by expert: rows move into "sorted space" [N·G·k, C], where the rows of
 * one expert are together, every expert is one product, and rows move back. Worth it where most
 * experts are idle for a token (E/k large); otherwise the dense-masked kernels win.
 *
 * Who moves rows is a choice: TensorFlow.js ops (sortedOnDevice.ts), or loops (host/sortedOnHost.ts)
 * where those ops are slow.
 */
import { slots, type CvmmAttributes, type Layout } from '../../../graph/ops/cvmm.ts';
import { last, rowsOf } from '../../../graph/shapes.ts';
import { shapeOf, type Kernels, type Setup, type TfTensor } from '../kernel.ts';
import { expertShape, upright, type ExpertShape } from './expertSpace.ts';

/** Where every choice (token, group, slot) went, and which rows each expert got. */
export interface Sorting {
  /** The row in sorted space of every choice [N·G·k]. */
  readonly place: Int32Array;
  /** The first row of every expert [G·E + 1]. */
  readonly starts: Int32Array;
}

/** Moves rows in and out of sorted space, and multiplies there. S is how sorted rows are held. */
export interface SortedSpace<S> {
  /** Rows of a layout [.., slots·C] into sorted space, times the choices' weights if given. */
  spread(x: TfTensor, layout: Layout, sorting: Sorting, weights?: TfTensor): S;
  /** Every row through its expert's matrix [G·E, I, O]. */
  multiply(z: S, sorting: Sorting, matrices: TfTensor): S;
  /** Sorted rows summed into a layout [N, slots·C], times the weights if given. */
  collect(z: S, layout: Layout, sorting: Sorting, weights?: TfTensor): TfTensor;
  /** For every choice, the product of its sorted row with its row of a layout: [N·G·k]. */
  dots(z: S, x: TfTensor, layout: Layout, sorting: Sorting): TfTensor;
  /** For every expert, leftᵀ·right over its rows: [G·E, I, O]. */
  outer(left: S, right: S, sorting: Sorting): TfTensor;
}

export type SpaceMaker<S> = (setup: Setup, shape: ExpertShape) => SortedSpace<S>;

function sortByExpert({ groups, experts, k }: ExpertShape, indices: TfTensor): Sorting {
  const chosen = indices.dataSync();
  const count = chosen.length;
  const choices = groups * k;
  const matrix = new Int32Array(count);
  const starts = new Int32Array(groups * experts + 1);
  for (let c = 0; c < count; c++) {
    matrix[c] = Math.floor((c % choices) / k) * experts + chosen[c];
    starts[matrix[c] + 1]++;
  }
  for (let e = 0; e < groups * experts; e++) starts[e + 1] += starts[e];
  const next = starts.slice();
  const place = new Int32Array(count);
  for (let c = 0; c < count; c++) place[c] = next[matrix[c]]++;
  return { place, starts };
}

/** Calls `visit` with the rows of every expert; some have none. */
export function forEachExpert(
  { starts }: Sorting,
  visit: (expert: number, start: number, end: number) => void,
): void {
  for (let expert = 0; expert + 1 < starts.length; expert++)
    visit(expert, starts[expert], starts[expert + 1]);
}

/** Index of the layout's row that a choice uses, of all tokens' rows. */
export function layoutRows({ rows, groups, k }: ExpertShape, layout: Layout): Int32Array {
  const choices = groups * k;
  const choicesPerRow = choices / slots(layout, groups, k);
  return Int32Array.from({ length: rows * choices }, (_, c) => Math.floor(c / choicesPerRow));
}

/** Bytes of sorted rows this wide. */
function sortedBytes(rows: number, { groups, k }: CvmmAttributes, width: number): number {
  return 4 * rows * groups * k * width;
}

export function expertKernelsSorted<S>(
  makeSpace: SpaceMaker<S>,
): Pick<Kernels, 'cvmm' | 'cvmmGradInput' | 'cvmmGradWeight'> {
  return {
    cvmm: {
      prepare({ inputs, outputs, attributes }, setup) {
        const { tf } = setup;
        const { from, to, transpose, activation } = attributes;
        const shape = expertShape(rowsOf(inputs[0].shape), inputs[2].shape[0], attributes);
        const space = makeSpace(setup, shape);
        return ([x, indices, stored, weights]) => {
          const sorting = sortByExpert(shape, indices);
          const matrices = upright(setup, stored, transpose);
          const z = space.multiply(space.spread(x, from, sorting), sorting, matrices);
          const y = space.collect(z, to, sorting, weights);
          return [tf.reshape(activation === 'relu' ? tf.relu(y) : y, [...outputs[0].shape])];
        };
      },
      scratch: ({ inputs: [x, , matrices], attributes }) =>
        sortedBytes(rowsOf(x.shape), attributes, matrices.shape[1] + matrices.shape[2]),
    },

    cvmmGradInput: {
      prepare({ inputs, attributes }, setup) {
        const { tf } = setup;
        const { from, to, transpose } = attributes;
        const shape = expertShape(rowsOf(inputs[1].shape), inputs[3].shape[0], attributes);
        const space = makeSpace(setup, shape);
        const [dxShape, dWeightsShape] = [[...inputs[1].shape], [...inputs[2].shape]];
        return ([dy, x, indices, stored, weightTensor]) => {
          const weights = weightTensor as TfTensor | undefined;
          const sorting = sortByExpert(shape, indices);
          const turned = upright(setup, stored, !transpose); // [G·E, O, I]
          // u = dy·Wᵀ of every choice gives both: dx = Σ w·u and dw = x·u.
          const u = space.multiply(space.spread(dy, to, sorting), sorting, turned);
          const dx = tf.reshape(space.collect(u, from, sorting, weights), dxShape);
          if (weights === undefined) return [dx];
          return [dx, tf.reshape(space.dots(u, x, from, sorting), dWeightsShape)];
        };
      },
      scratch: ({ inputs: [, x, , matrices], attributes }) =>
        sortedBytes(rowsOf(x.shape), attributes, matrices.shape[1] + matrices.shape[2]),
    },

    cvmmGradWeight: {
      prepare({ inputs, attributes }, setup) {
        const { from, to, transpose } = attributes;
        const shape = expertShape(rowsOf(inputs[0].shape), attributes.experts, attributes);
        const space = makeSpace(setup, shape);
        return ([x, dy, indices, weights]) => {
          const sorting = sortByExpert(shape, indices);
          const left = space.spread(x, from, sorting, weights);
          const right = space.spread(dy, to, sorting);
          return [upright(setup, space.outer(left, right, sorting), transpose)];
        };
      },
      scratch: ({ inputs: [x, dy], attributes }) => {
        const { from, to, groups, k } = attributes;
        const width =
          last(x.shape) / slots(from, groups, k) + last(dy.shape) / slots(to, groups, k);
        return sortedBytes(rowsOf(x.shape), attributes, width);
      },
    },
  };
}

/** Width of a layout's rows, from the size of a tensor in it. */
export function widthIn(x: TfTensor, { rows, groups, k }: ExpertShape, layout: Layout): number {
  return x.size / rows / slots(layout, groups, k);
}

/** Inner and outer width of matrices [G·E, I, O]. */
export function widthsOf(matrices: TfTensor): readonly [number, number] {
  const [, inner, width] = shapeOf(matrices);
  return [inner, width];
}
