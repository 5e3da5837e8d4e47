/**
 * Relative positions in attention. A query's products with all positions are one row X[t, ·], and
 * source s wants column s − t + T − 1 of it: every row shifted by one more than the row below. Cut
 * into rows that are one shorter, a matrix of M columns read on from column T − 1 has that shift:
 *
 *   flat[T − 1 + t·(M − 1) + s] = flat[t·M + (s − t + T − 1)] = X[t, s − t + T − 1].
 *
 * Columns run from 0 to S + T − 2. Without a causal mask there are as many positions, M = S + T − 1,
 * and all is in its place. With it there are S, those above belong to sources that the mask hides,
 * and what stands there are finite numbers of the next row, or the zero that is added to make rows of
 * M − 1 hold S sources.
 */
import type { AttentionSizes } from '../../../graph/ops/attention.ts';
import type { Setup, TfTensor } from '../kernel.ts';

/** M, columns of the products with positions: at least one more than there are sources. */
export const columnsOf = ({ source, positions }: AttentionSizes): number =>
  Math.max(positions, source + 1);

/** Positions [N, Hk·P] by heads, zero where there are more columns than positions: [Hk, M, P]. */
export function splitPositions(
  { tf }: Setup,
  x: TfTensor,
  keyHeads: number,
  sizes: AttentionSizes,
): TfTensor {
  const columns = columnsOf(sizes);
  const missing = columns - sizes.positions;
  const padded =
    missing === 0
      ? x
      : tf.pad(x, [
          [0, missing],
          [0, 0],
        ]);
  return tf.transpose(tf.reshape(padded, [columns, keyHeads, sizes.width]), [1, 0, 2]);
}

/** The inverse of {@link splitPositions}: [Hk, M, P] → [N, Hk·P]. */
export function joinPositions({ tf }: Setup, x: TfTensor, sizes: AttentionSizes): TfTensor {
  const [keyHeads, columns, width] = x.shape;
  const joined = tf.reshape(tf.transpose(x, [1, 0, 2]), [columns, keyHeads * width]);
  return tf.slice(joined, [0, 0], [sizes.positions, keyHeads * width]);
}

/** Products with positions [.., M], which it frees, → each where its source is: [matrices, T, S]. */
export function shift({ tf, free }: Setup, products: TfTensor, sizes: AttentionSizes): TfTensor {
  const { length, source } = sizes;
  const columns = columnsOf(sizes);
  const matrices = products.size / (length * columns);
  const read: TfTensor = tf.tidy(() => {
    const flat = tf.reshape(products, [matrices, length * columns]);
    const from = tf.slice(flat, [0, length - 1], [matrices, length * (columns - 1)]);
    return tf.reshape(from, [matrices, length, columns - 1]);
  });
  free(products);
  if (columns - 1 === source) return read;
  const shifted = tf.slice(read, [0, 0, 0], [matrices, length, source]);
  free(read);
  return shifted;
}

/**
 * The gradient of {@link shift}: x [.., S], which it frees, → [matrices, T, M], zero where nothing
 * was read.
 */
export function unshift({ tf, free }: Setup, x: TfTensor, sizes: AttentionSizes): TfTensor {
  const { length, source } = sizes;
  const columns = columnsOf(sizes);
  const matrices = x.size / (length * source);
  const wide: TfTensor = tf.tidy(() => {
    const rows: TfTensor = tf.reshape(x, [matrices, length, source]);
    const missing = columns - 1 - source;
    const padding: [number, number][] = [
      [0, 0],
      [0, 0],
      [0, missing],
    ];
    const padded = missing === 0 ? rows : tf.pad(rows, padding);
    return tf.reshape(padded, [matrices, length * (columns - 1)]);
  });
  free(x);
  return tf.tidy(() => {
    const flat = tf.pad(wide, [
      [0, 0],
      [length - 1, 1],
    ]);
    free(wide);
    return tf.reshape(flat, [matrices, length, columns]);
  });
}
