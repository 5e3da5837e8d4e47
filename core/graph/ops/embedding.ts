import type { Op, Tensor } from '../graph.ts';
import { f32, last, requireShape, requireType, show } from '../shapes.ts';
import { embeddingGrad } from './embeddingGrad.ts';

export interface EmbeddingAttributes {
  readonly scale: number;
}

/**
 * scale · table[id]: table [..., D], ids [...] of i32 that count the table's V rows, whatever axes these
 * have → [..., D]. So it gathers rows of activations [B, T, D] as well as of an embedding [V, D].
 */
export const embeddingOp: Op<EmbeddingAttributes> = {
  name: 'embedding',
  infer([table, ids]) {
    requireShape(
      table.shape.length >= 2,
      'embedding',
      `the table must be [..., D], not ${show(table)}.`,
    );
    requireType(ids, 'i32', 'embedding', 'ids');
    return [f32(...ids.shape, last(table.shape))];
  },
  backward({ inputs: [table, ids], attributes: { scale } }, [dy], needs) {
    return [needs[0] && dy !== undefined ? embeddingGrad(ids, dy, table.shape, scale) : undefined];
  },
  reference([table, ids], [y], { scale }) {
    const width = last(table.shape);
    for (const [row, id] of ids.data.entries()) {
      for (let d = 0; d < width; d++) y.data[row * width + d] = scale * table.data[id * width + d];
    }
  },
};

/** See {@link embeddingOp}. */
export function embedding(table: Tensor, ids: Tensor, scale: number): Tensor {
  return table.graph.emit(embeddingOp, [table, ids], { scale })[0];
}
