/** Sorted space (expertsSorted.ts) as tensors: rows move by gathering, only the indices are read back. */
import { slots, type Layout } from '../../../graph/ops/cvmm.ts';
import type { Setup, TfTensor } from '../kernel.ts';
import type { ExpertShape } from './expertSpace.ts';
import {
  forEachExpert,
  layoutRows,
  widthIn,
  type Sorting,
  type SortedSpace,
} from './expertsSorted.ts';
import { product } from './products.ts';

export function sortedOnDevice(setup: Setup, shape: ExpertShape): SortedSpace<TfTensor> {
  const { tf, free } = setup;
  const { rows, groups, experts, k } = shape;
  const choices = groups * k;

  /** Values of choices in the order of sorted space. */
  const sorted = (ofChoice: (choice: number) => number, { place }: Sorting): TfTensor => {
    const values = new Int32Array(place.length);
    for (let c = 0; c < place.length; c++) values[place[c]] = ofChoice(c);
    return tf.tensor1d(values, 'int32');
  };
  /** The experts' parts of sorted rows; experts without any are left out. */
  const partsOf = (z: TfTensor, { starts }: Sorting): TfTensor[] => {
    const sizes = Array.from(starts.subarray(1), (end, e) => end - starts[e]);
    return tf.split(
      z,
      sizes.filter((size) => size > 0),
    );
  };
  const joined = (parts: TfTensor[]): TfTensor =>
    parts.length === 1 ? parts[0] : tf.concat(parts);
  /** [N·G·k, C] as a layout's rows with their choices: [N·slots, choices per row, C]. */
  const perRow = (z: TfTensor, layout: Layout, { place }: Sorting): TfTensor => {
    const count = slots(layout, groups, k);
    const unsorted = tf.gather(z, tf.tensor1d(place, 'int32'));
    return tf.reshape(unsorted, [rows * count, choices / count, z.size / place.length]);
  };
  const rowsByLayout = new Map<Layout, Int32Array>();
  const rowsOfLayout = (layout: Layout): Int32Array => {
    const made = rowsByLayout.get(layout) ?? layoutRows(shape, layout);
    rowsByLayout.set(layout, made);
    return made;
  };

  return {
    spread(x, layout, sorting, weights) {
      const width = widthIn(x, shape, layout);
      const rowOf = rowsOfLayout(layout);
      const z = tf.gather(
        tf.reshape(x, [x.size / width, width]),
        sorted((choice) => rowOf[choice], sorting),
      ); // [N·G·k, C]
      if (weights === undefined) return z;
      const factors = tf.gather(
        tf.reshape(weights, [weights.size, 1]),
        sorted((choice) => choice, sorting),
      );
      const weighted = tf.mul(z, factors);
      free(z);
      return weighted;
    },

    multiply(z, sorting, matrices) {
      const parts = partsOf(z, sorting);
      const each = tf.unstack(matrices);
      const results: TfTensor[] = [];
      forEachExpert(sorting, (expert, start, end) => {
        if (end > start) results.push(product(setup, parts[results.length], each[expert]));
      });
      const y = joined(results);
      free(z, ...parts, ...results.filter((result) => result !== y));
      return y;
    },

    collect(z, layout, sorting, weights) {
      const perChoice = perRow(z, layout, sorting); // [N·slots, choices per row, C]
      const [count, each] = perChoice.shape as [number, number, number];
      const weighted =
        weights === undefined
          ? perChoice
          : tf.mul(perChoice, tf.reshape(weights, [count, each, 1]));
      return each === 1 ? weighted : tf.sum(weighted, 1);
    },

    dots(z, x, layout, sorting) {
      const perChoice = perRow(z, layout, sorting);
      const [count, , width] = perChoice.shape as [number, number, number];
      return tf.sum(tf.mul(perChoice, tf.reshape(x, [count, 1, width])), -1);
    },

    outer(left, right, sorting) {
      const [lefts, rights] = [partsOf(left, sorting), partsOf(right, sorting)];
      const width = (z: TfTensor) => z.size / sorting.place.length;
      const matrices: TfTensor[] = [];
      let part = 0;
      forEachExpert(sorting, (_expert, start, end) => {
        if (end > start) {
          matrices.push(product(setup, lefts[part], rights[part], true, false));
          part++;
        } else matrices.push(tf.zeros([width(left), width(right)]));
      });
      return tf.reshape(tf.stack(matrices), [groups * experts, width(left), width(right)]);
    },
  };
}
