/** Sorted space (kernels/expertsSorted.ts) as plain arrays: loops move the rows. */
import { slots, type Layout } from '../../../graph/ops/cvmm.ts';
import type { ExpertShape } from '../kernels/expertSpace.ts';
import {
  forEachExpert,
  layoutRows,
  widthIn,
  widthsOf,
  type SortedSpace,
} from '../kernels/expertsSorted.ts';
import { product } from '../kernels/products.ts';
import type { Setup, TfTensor } from '../kernel.ts';

/** Rows of one width, one after the other. */
interface Rows {
  readonly values: Float32Array;
  readonly width: number;
}

const read = (tensor: TfTensor) => tensor.dataSync() as Float32Array;
const readOptional = (tensor: TfTensor | undefined) =>
  tensor === undefined ? undefined : read(tensor);

export function sortedOnHost(setup: Setup, shape: ExpertShape): SortedSpace<Rows> {
  const { tf, free } = setup;
  const { rows, groups, experts, k } = shape;
  const rowsByLayout = new Map<Layout, Int32Array>();
  const rowsOfLayout = (layout: Layout): Int32Array => {
    const made = rowsByLayout.get(layout) ?? layoutRows(shape, layout);
    rowsByLayout.set(layout, made);
    return made;
  };
  const between = ({ values, width }: Rows, start: number, end: number): TfTensor =>
    tf.tensor(values.subarray(start * width, end * width), [end - start, width]);

  return {
    spread(tensor, layout, { place }, weightTensor) {
      const width = widthIn(tensor, shape, layout);
      const rowOf = rowsOfLayout(layout);
      const x = read(tensor);
      const weights = readOptional(weightTensor);
      const values = new Float32Array(place.length * width);
      for (let c = 0; c < place.length; c++) {
        const weight = weights === undefined ? 1 : weights[c];
        const source = rowOf[c] * width;
        const target = place[c] * width;
        for (let i = 0; i < width; i++) values[target + i] = weight * x[source + i];
      }
      return { values, width };
    },

    multiply(z, sorting, matrices) {
      const [inner, width] = widthsOf(matrices);
      const y = new Float32Array(sorting.place.length * width);
      const all: Rows = { values: read(matrices), width };
      forEachExpert(sorting, (expert, start, end) => {
        if (end === start) return;
        const part = between(z, start, end);
        const matrix = between(all, expert * inner, (expert + 1) * inner);
        const result = product(setup, part, matrix);
        y.set(read(result), start * width);
        free(part, matrix, result);
      });
      return { values: y, width };
    },

    collect({ values, width }, layout, { place }, weightTensor) {
      const rowOf = rowsOfLayout(layout);
      const weights = readOptional(weightTensor);
      const count = slots(layout, groups, k);
      const y = new Float32Array(rows * count * width);
      for (let c = 0; c < place.length; c++) {
        const weight = weights === undefined ? 1 : weights[c];
        const source = place[c] * width;
        const target = rowOf[c] * width;
        for (let i = 0; i < width; i++) y[target + i] += weight * values[source + i];
      }
      return tf.tensor(y, [rows, count * width]);
    },

    dots({ values, width }, tensor, layout, { place }) {
      const rowOf = rowsOfLayout(layout);
      const x = read(tensor);
      const products = new Float32Array(place.length);
      for (let c = 0; c < place.length; c++) {
        const a = place[c] * width;
        const b = rowOf[c] * width;
        let sum = 0;
        for (let i = 0; i < width; i++) sum += values[a + i] * x[b + i];
        products[c] = sum;
      }
      return tf.tensor1d(products);
    },

    outer(left, right, sorting) {
      const size = left.width * right.width;
      const values = new Float32Array(groups * experts * size);
      forEachExpert(sorting, (expert, start, end) => {
        if (end === start) return;
        const [leftRows, rightRows] = [between(left, start, end), between(right, start, end)];
        const result = product(setup, leftRows, rightRows, true, false);
        values.set(read(result), expert * size);
        free(leftRows, rightRows, result);
      });
      return tf.tensor(values, [groups * experts, left.width, right.width]);
    },
  };
}
