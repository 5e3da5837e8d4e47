import type { Tf, TfTensor } from '../kernel.ts';

/** One where the class is the index's, else zero: [...] of i32 → [..., classes]. One class is allowed. */
export function oneHot(tf: Tf, indices: TfTensor, classes: number): TfTensor {
  if (classes === 1) return tf.ones([...indices.shape, 1]);
  return tf.oneHot(indices, classes, 1, 0, 'float32');
}
