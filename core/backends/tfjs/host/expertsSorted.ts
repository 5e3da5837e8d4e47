/**
 * cvmm and its gradients sorted by expert: loops move rows (expertRows.ts), and every expert is one
 * product of the rows that chose it. Worth it where most experts are idle for a token (E/k large);
 * otherwise the dense-masked kernels win.
 */
import { bytesOf } from '../../../graph/graph.ts';
import { slots } from '../../../graph/ops/cvmm.ts';
import { last, rowsOf } from '../../../graph/shapes.ts';
import { expertShape, upright, type ExpertShape } from '../kernels/expertSpace.ts';
import { product } from '../kernels/products.ts';
import { shapeOf, type Kernels, type Setup, type TfTensor } from '../kernel.ts';
import { collect, dots, layoutRows, sortByExpert, spread, type Sorting } from './expertRows.ts';
import type { Values } from './onHost.ts';

const read = (tensor: TfTensor): Values => tensor.dataSync() as Values;
const readOptional = (tensor: TfTensor | undefined): Values | undefined =>
  tensor === undefined ? undefined : read(tensor);

/** Rows `start` to `end` of a matrix of this width, as a tensor. */
function rowsBetween(
  { tf }: Setup,
  values: Values,
  start: number,
  end: number,
  width: number,
): TfTensor {
  return tf.tensor(values.subarray(start * width, end * width), [end - start, width]);
}

/** Calls `visit` with the rows of every expert that has any. */
function forEachExpert(
  { starts }: Sorting,
  visit: (expert: number, start: number, end: number) => void,
): void {
  for (let expert = 0; expert + 1 < starts.length; expert++)
    if (starts[expert + 1] > starts[expert]) visit(expert, starts[expert], starts[expert + 1]);
}

/** Sorted rows [N·G·k, I] through their experts' matrices [G·E, I, O] → [N·G·k, O]. */
function multiply(setup: Setup, z: Values, sorting: Sorting, matrices: TfTensor): Float32Array {
  const [, inner, width] = shapeOf(matrices);
  const y = new Float32Array(sorting.place.length * width);
  const all = read(matrices);
  forEachExpert(sorting, (expert, start, end) => {
    const part = rowsBetween(setup, z, start, end, inner);
    const matrix = rowsBetween(setup, all, expert * inner, (expert + 1) * inner, width);
    const result = product(setup, part, matrix);
    y.set(read(result), start * width);
    setup.free(part, matrix, result);
  });
  return y;
}

const spaceBytes = ({ rows, groups, k }: ExpertShape) => 4 * rows * groups * k;

export const expertKernelsSorted: Pick<Kernels, 'cvmm' | 'cvmmGradInput' | 'cvmmGradWeight'> = {
  cvmm: {
    prepare({ inputs, outputs, attributes }, setup) {
      const { tf } = setup;
      const { from, to, transpose, activation } = attributes;
      const shape = expertShape(rowsOf(inputs[0].shape), inputs[2].shape[0], attributes);
      const [fromRows, toRows] = [layoutRows(shape, from), layoutRows(shape, to)];
      const outputShape = [...outputs[0].shape];
      const size = bytesOf(outputs[0]) / 4;
      return ([x, indices, stored, weights]) => {
        const matrices = upright(setup, stored, transpose);
        const [, inner, width] = shapeOf(matrices);
        const sorting = sortByExpert(shape, read(indices));
        const z = multiply(
          setup,
          spread(read(x), fromRows, sorting, inner, undefined),
          sorting,
          matrices,
        );
        const y = tf.tensor(
          collect(z, sorting, toRows, size, width, readOptional(weights)),
          outputShape,
        );
        return [activation === 'relu' ? tf.relu(y) : y];
      };
    },
    scratch: ({ inputs: [x, , matrices], attributes }) =>
      spaceBytes(expertShape(rowsOf(x.shape), matrices.shape[0], attributes)) *
      (matrices.shape[1] + matrices.shape[2]),
  },

  cvmmGradInput: {
    prepare({ inputs, outputs, attributes }, setup) {
      const { tf } = setup;
      const { from, to, transpose } = attributes;
      const shape = expertShape(rowsOf(inputs[1].shape), inputs[3].shape[0], attributes);
      const [fromRows, toRows] = [layoutRows(shape, from), layoutRows(shape, to)];
      const [dxShape, dWeightsShape] = [[...inputs[1].shape], [...inputs[2].shape]];
      const size = bytesOf(outputs[0]) / 4;
      return ([dy, x, indices, stored, weightTensor]) => {
        const turned = upright(setup, stored, !transpose); // [G·E, O, I]
        const [, width, inner] = shapeOf(turned);
        const sorting = sortByExpert(shape, read(indices));
        const weights = readOptional(weightTensor);
        // u = dy·Wᵀ of every choice gives both: dx = Σ w·u and dw = x·u.
        const u = multiply(
          setup,
          spread(read(dy), toRows, sorting, width, undefined),
          sorting,
          turned,
        );
        const dx = tf.tensor(collect(u, sorting, fromRows, size, inner, weights), dxShape);
        if (weights === undefined) return [dx];
        return [dx, tf.tensor(dots(u, sorting, read(x), fromRows, inner), dWeightsShape)];
      };
    },
    scratch: ({ inputs: [, x, , matrices], attributes }) =>
      spaceBytes(expertShape(rowsOf(x.shape), matrices.shape[0], attributes)) *
      (matrices.shape[1] + matrices.shape[2]),
  },

  cvmmGradWeight: {
    prepare({ inputs, attributes }, setup) {
      const { tf } = setup;
      const { from, to, transpose, experts: all, groups, k } = attributes;
      const shape = expertShape(rowsOf(inputs[0].shape), all, attributes);
      const [fromRows, toRows] = [layoutRows(shape, from), layoutRows(shape, to)];
      const inner = last(inputs[0].shape) / slots(from, groups, k);
      const width = last(inputs[1].shape) / slots(to, groups, k);
      return ([x, dy, indices, weights]) => {
        const sorting = sortByExpert(shape, read(indices));
        const left = spread(read(x), fromRows, sorting, inner, readOptional(weights));
        const right = spread(read(dy), toRows, sorting, width, undefined);
        const values = new Float32Array(all * inner * width); // [G·E, I, O]
        forEachExpert(sorting, (expert, start, end) => {
          const xRows = rowsBetween(setup, left, start, end, inner);
          const dyRows = rowsBetween(setup, right, start, end, width);
          const result = product(setup, xRows, dyRows, true, false);
          values.set(read(result), expert * inner * width);
          setup.free(xRows, dyRows, result);
        });
        return [upright(setup, tf.tensor(values, [all, inner, width]), transpose)];
      };
    },
    scratch: ({ inputs: [x, dy], attributes }) => {
      const { experts, from, to, groups, k } = attributes;
      return (
        spaceBytes(expertShape(rowsOf(x.shape), experts, attributes)) *
        (last(x.shape) / slots(from, groups, k) + last(dy.shape) / slots(to, groups, k))
      );
    },
  },
};
