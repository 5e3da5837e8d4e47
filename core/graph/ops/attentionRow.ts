/** One row of an attention matrix in plain loops, for the reference kernels of attention. */
import type { ReferenceTensor } from '../graph.ts';
import {
  attentionSizes,
  visibleRanges,
  type AttentionAttributes,
  type AttentionInputs,
} from './attention.ts';

/** The key head that query head h uses. */
export const keyHeadOf = (h: number, { heads, keyHeads }: AttentionAttributes): number =>
  keyHeads === heads ? h : 0;

/** Which row of what is saved belongs to a query; see `rows` of AttentionSizes. */
export function savedRow(
  inputs: AttentionInputs<ReferenceTensor>,
  attributes: AttentionAttributes,
  b: number,
  h: number,
  t: number,
): number {
  const { batch, length } = attentionSizes(inputs, attributes);
  const { heads, keyHeads } = attributes;
  return (keyHeads === 1 ? b * heads + h : h * batch + b) * length + t;
}

export interface AttentionRow {
  /** Sources from `first` until before `end` are seen. */
  readonly first: number;
  readonly end: number;
  /** Of the sources seen: logits, and the same before any scale. */
  readonly logits: readonly number[];
  readonly unscaled: readonly number[];
}

/** What query t of sequence b sees in head h; see attentionOp for the formula. */
export function attentionRow(
  inputs: AttentionInputs<ReferenceTensor>,
  attributes: AttentionAttributes,
  b: number,
  h: number,
  t: number,
): AttentionRow {
  const { q, k, visible, positions, contentBias, positionBias, scale } = inputs;
  const { heads, keyHeads, causal } = attributes;
  const sizes = attentionSizes(inputs, attributes);
  const { length, source, width } = sizes;
  const range = visible && visibleRanges(visible.data, sizes, attributes)[b];
  const first = range?.first ?? 0;
  const end = Math.min(range?.end ?? source, causal ? source - length + t + 1 : source);
  const unscaled: number[] = [];
  for (let s = first; s < end; s++) {
    let dot = 0;
    for (let p = 0; p < width; p++) {
      const query = q.data[((b * length + t) * heads + h) * width + p];
      const keyChannel = keyHeadOf(h, attributes) * width + p;
      const key = k.data[(b * source + s) * keyHeads * width + keyChannel];
      dot += (query + (contentBias?.data[h * width + p] ?? 0)) * key;
      if (positions === undefined) continue;
      const position = positions.data[(s - t + length - 1) * keyHeads * width + keyChannel];
      dot += (query + (positionBias?.data[h * width + p] ?? 0)) * position;
    }
    unscaled.push(dot);
  }
  const factor = attributes.scale * (scale?.data[0] ?? 1);
  return { first, end, unscaled, logits: unscaled.map((dot) => dot * factor) };
}
