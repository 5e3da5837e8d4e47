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
  /** The matrices as one array: wasm's slice reads the whole tensor for every part. */
  const matrices = (x: TfTensor, transpose: boolean) => {
    const [rows, columns] = shapeOf(x).slice(-2);
    if (!transpose) return { values: x.dataSync() as Float32Array, rows, columns };
    const turned = tf.transpose(tf.reshape(x, [batch, rows, columns]), [0, 2, 1]);
    const values = turned.dataSync() as Float32Array;
    free(turned);
    return { values, rows: columns, columns: rows };
  };
  const left = matrices(a, transposeA); // [batch, M, K]
  const right = matrices(b, transposeB); // [batch, K, N]
  const matrix = ({ values, rows, columns }: typeof left, i: number): TfTensor =>
    tf.tensor(values.subarray(i * rows * columns, (i + 1) * rows * columns), [rows, columns]);
  const results: TfTensor[] = [];
  for (let i = 0; i < batch; i++) {
    const [leftMatrix, rightMatrix] = [matrix(left, i), matrix(right, i)];
    results.push(tf.matMul(leftMatrix, rightMatrix));
    leftMatrix.dispose();
    rightMatrix.dispose();
  }
  const joined = tf.concat(results, 0); // [batch·M, N]
  free(...results);
  return tf.reshape(joined, [...shapeOf(a).slice(0, -2), left.rows, right.columns]);
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
      const plain = inputs.length === 2 && activation === 'none';
      return ([a, b, bias]) => {
        const left: TfTensor = tf.reshape(a, aShape);
        const right: TfTensor = tf.reshape(b, bShape);
        if (plain) return [tf.reshape(product(setup, left, right, transposeA, transposeB), shape)];
        const y = tf.fused.matMul({
          a: left,
          b: transposeB && setup.backend === 'wasm' ? tf.transpose(right) : right,
          transposeB: transposeB && setup.backend !== 'wasm',
          ...((bias as TfTensor | undefined) === undefined ? {} : { bias }),
          activation: activation === 'relu' ? 'relu' : 'linear',
        });
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
