import type { Op, Tensor } from '../graph.ts';
import { f32, last } from '../shapes.ts';

export interface EmbeddingGradAttributes {
  /** The table's shape, [..., D]. */
  readonly shape: readonly number[];
  readonly scale: number;
}

/** Gradient of the table: ids [...], dy [..., D] → the table's shape, rows of equal id summed. */
export const embeddingGradOp: Op<EmbeddingGradAttributes> = {
  name: 'embeddingGrad',
  infer: (_inputs, { shape }) => [f32(...shape)],
  reference([ids, dy], [dTable], { scale }) {
    const width = last(dy.shape);
    for (const [row, id] of ids.data.entries()) {
      for (let d = 0; d < width; d++)
        dTable.data[id * width + d] += scale * dy.data[row * width + d];
    }
  },
};

/** See {@link embeddingGradOp}. */
export function embeddingGrad(
  ids: Tensor,
  dy: Tensor,
  shape: readonly number[],
  scale: number,
): Tensor {
  return ids.graph.emit(embeddingGradOp, [ids, dy], { shape, scale })[0];
}
