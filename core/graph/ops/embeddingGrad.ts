import type { Op, Tensor } from '../graph.ts';
import { f32, last } from '../shapes.ts';

export interface EmbeddingGradAttributes {
  readonly vocabulary: number;
  readonly scale: number;
}

/** Gradient of the table: ids [...], dy [..., D] → [V, D], rows of equal id summed. */
export const embeddingGradOp: Op<EmbeddingGradAttributes> = {
  name: 'embeddingGrad',
  infer: ([, dy], { vocabulary }) => [f32(vocabulary, last(dy.shape))],
  reference([ids, dy], [dTable], { scale }) {
    const width = last(dy.shape);
    for (const [row, id] of ids.data.entries()) {
      for (let d = 0; d < width; d++)
        dTable.data[id * width + d] += scale * dy.data[row * width + d];
    }
  },
};

/** See {@link embeddingGradOp}. */
export function embeddingGrad(ids: Tensor, dy: Tensor, vocabulary: number, scale: number): Tensor {
  return ids.graph.emit(embeddingGradOp, [ids, dy], { vocabulary, scale })[0];
}
