/**
 * Matrix products, shaped to what each backend does well. wasm has a fast path (XNNPACK) for one
 * product of two plain matrices and naive loops for everything else, so there transposed operands
 * are transposed first and batches are taken apart.
 */
import { bytesOf, sizeOf } from '../../../graph/graph.ts';
import { last, rowsOf } from '../../../graph/shapes.ts';
import { shapeOf, type Kernels, type Setup, type TfTensor } from '../kernel.ts';

/** Product of two matrices, or of two equally long batches of matrices. */
export function product(
  setup: Setup,
  a: TfTensor,
  b: TfTensor,
  transposeA = false,
  transposeB = false,
): TfTensor {
  const { tf, backend } = setup;
  if (backend !== 'wasm') return tf.matMul(a, b, transposeA, transposeB);
  if (a.rank > 2) return batchedOnWasm(setup, a, b, transposeA, transposeB);
  // aᵀ·b = (bᵀ·a)ᵀ: transpose the narrower operand and the (small) result.
  if (transposeA && !transposeB && last(shapeOf(b)) < last(shapeOf(a)))
    return tf.transpose(tf.matMul(tf.transpose(b), a));
  return tf.matMul(transposeA ? tf.transpose(a) : a, transposeB ? tf.transpose(b) : b);
}

/** a [..., M, K] · b [..., K, N], one product a matrix. */
function batchedOnWasm(
  { tf, free }: Setup,
  a: TfTensor,
  b: TfTensor,
  transposeA: boolean,
  transposeB: boolean,
): TfTensor {
  const batch = sizeOf(shapeOf(a).slice(0, -2));
  const matrices = (x: TfTensor, transpose: boolean): TfTensor => {
    const [rows, columns] = shapeOf(x).slice(-2);
    const flat: TfTensor = tf.reshape(x, [batch, rows, columns]);
    return transpose ? tf.transpose(flat, [0, 2, 1]) : flat;
  };
  const left = matrices(a, transposeA); // [batch, M, K]
  const right = matrices(b, transposeB); // [batch, K, N]
  const [, rows, inner] = shapeOf(left);
  const columns = last(shapeOf(right));
  const results: TfTensor[] = [];
  for (let i = 0; i < batch; i++) {
    const leftMatrix = tf.reshape(tf.slice(left, [i, 0, 0], [1, rows, inner]), [rows, inner]);
    const rightMatrix = tf.reshape(tf.slice(right, [i, 0, 0], [1, inner, columns]), [
      inner,
      columns,
    ]);
    results.push(tf.matMul(leftMatrix, rightMatrix));
    free(leftMatrix, rightMatrix);
  }
  const joined = tf.concat(results, 0); // [batch·M, N]
  free(left, right, ...results);
  return tf.reshape(joined, [...shapeOf(a).slice(0, -2), rows, columns]);
}

/** Sum over the rows of a matrix: [N, C] → [C]. */
export function sumOfRows({ tf, backend }: Setup, x: TfTensor): TfTensor {
  if (backend === 'tensorflow') return tf.sum(x, 0);
  const ones: TfTensor = tf.ones([1, x.shape[0]]);
  return tf.reshape(tf.matMul(ones, x), [-1]);
}

export const productKernels: Pick<Kernels, 'matmul' | 'columnSum'> = {
  matmul: {
    prepare({ inputs, outputs, attributes: { transposeA, transposeB, activation } }, setup) {
      const { tf } = setup;
      const shape = [...outputs[0].shape];
      const aShape: [number, number] = [rowsOf(inputs[0].shape), last(inputs[0].shape)];
      const bShape: [number, number] = [rowsOf(inputs[1].shape), last(inputs[1].shape)];
      return ([a, b, bias]) => {
        let y = product(
          setup,
          tf.reshape(a, aShape),
          tf.reshape(b, bShape),
          transposeA,
          transposeB,
        );
        if ((bias as TfTensor | undefined) !== undefined) y = tf.add(y, bias);
        if (activation === 'relu') y = tf.relu(y);
        return [tf.reshape(y, shape)];
      };
    },
    scratch({ inputs: [a, b, bias], outputs: [y], attributes }, backend) {
      const transposed =
        backend !== 'wasm'
          ? 0
          : attributes.transposeA
            ? Math.min(bytesOf(a), bytesOf(b) + bytesOf(y))
            : attributes.transposeB
              ? bytesOf(b)
              : 0;
      const activated =
        ((bias as typeof bias | undefined) === undefined ? 0 : 1) +
        (attributes.activation === 'relu' ? 1 : 0);
      return transposed + activated * bytesOf(y);
    },
  },
  columnSum: {
    prepare({ inputs: [x] }, setup) {
      const shape: [number, number] = [rowsOf(x.shape), last(x.shape)];
      return ([value]) => [sumOfRows(setup, setup.tf.reshape(value, shape))];
    },
  },
};
