import { SwitchyardError } from '../../contract/errors.ts';
import type { Op, Tensor, TensorType } from '../graph.ts';
import { f32, requireShape, requireType, sameShape, show } from '../shapes.ts';
import { attentionGrad } from './attentionGrad.ts';
import { attentionRow, keyHeadOf, savedRow } from './attentionRow.ts';

/** What attention can be given besides queries, keys and values, in the order of a node's inputs. */
export const optionalInputs = [
  'visible',
  'positions',
  'contentBias',
  'positionBias',
  'scale',
] as const;
export type OptionalInput = (typeof optionalInputs)[number];

export interface AttentionAttributes {
  readonly heads: number;
  /** Heads of keys, values and positions: `heads`, or 1 that all query heads share. */
  readonly keyHeads: number;
  /** A query sees only sources at or before its own position; with S > T the last query sees all. */
  readonly causal: boolean;
  /** Logits are multiplied by this, and by the input `scale` where it is given. */
  readonly scale: number;
  /**
   * What the backward pass gets: 'lse', the log-sum-exp of every row (little memory, logits computed
   * again), or 'probabilities', the whole attention matrices (more memory, less work). The executor
   * says which suits it.
   */
  readonly save: 'lse' | 'probabilities';
  /** Which optional inputs there are, in the order of {@link optionalInputs}. */
  readonly given: readonly OptionalInput[];
}

/** The inputs of attention by name, whatever stands for a tensor; see {@link attentionOp}. */
export interface AttentionInputs<T> extends Readonly<
  Partial<Record<OptionalInput, T | undefined>>
> {
  readonly q: T;
  readonly k: T;
  readonly v: T;
}

/** Names the inputs of an attention node; those of attentionGrad go on with y, saved and dy. */
export function namedInputs<T>(
  inputs: readonly T[],
  { given }: Pick<AttentionAttributes, 'given'>,
): AttentionInputs<T> {
  const [q, k, v, ...others] = inputs;
  const optional = Object.fromEntries(given.map((name, i) => [name, others[i]]));
  return { q, k, v, ...(optional as Partial<Record<OptionalInput, T>>) };
}

export interface AttentionSizes {
  readonly batch: number;
  /** T, tokens that ask. */
  readonly length: number;
  /** S, tokens that are asked; the last T of them are those that ask. */
  readonly source: number;
  /** P, width of a head's queries and keys. */
  readonly width: number;
  /** Pv, width of a head's values. */
  readonly valueWidth: number;
  /** N, relative positions that there are. */
  readonly positions: number;
  /**
   * The order of the rows of all attention matrices: [H, B, T], or [B, H, T] with one key head. So
   * rows that use the same matrix of keys lie together, and each matrix takes one product.
   */
  readonly rows: readonly [number, number, number];
}

export function attentionSizes(
  { q, k, v }: AttentionInputs<Pick<TensorType, 'shape'>>,
  { heads, keyHeads, causal }: AttentionAttributes,
): AttentionSizes {
  const [batch, length, channels] = q.shape;
  const source = k.shape[1];
  return {
    batch,
    length,
    source,
    width: channels / heads,
    valueWidth: v.shape[2] / keyHeads,
    positions: causal ? source : source + length - 1,
    rows: keyHeads === 1 ? [batch, heads, length] : [heads, batch, length],
  };
}

/**
 * Scaled dot-product attention, one matrix a head. With query t at source position S − T + t:
 *
 *   logit(t, s) = scale · ((q_t + contentBias)·k_s + (q_t + positionBias)·positions_{s−t})
 *
 * and without positions scale · q_t·k_s (Transformer-XL: Dai et al. 2019, section 3.3).
 *
 * Inputs: q [B, T, H·P], k [B, S, Hk·P], v [B, S, Hk·Pv], then those that are `given`:
 * - visible [B, 2] i32: of each sequence the first source that may be seen and one past the last.
 *   Every query must see some: 0 ≤ first < end ≤ S, and first ≤ S − T when causal;
 * - positions [N, Hk·P]: row j is for source position − query position = j − (S − 1); N is S when
 *   causal, else S + T − 1;
 * - contentBias, positionBias [H·P]: added to q in the two terms; only with positions;
 * - scale [1]: learned, multiplies the attribute `scale`.
 *
 * Outputs: y [B, T, H·Pv], and what `save` asks for: lse [H, B, T] or probabilities [H, B, T, S];
 * with one key head [B, H, T] and [B, H, T, S], see `rows` of {@link AttentionSizes}.
 */
export const attentionOp: Op<AttentionAttributes> = {
  name: 'attention',
  infer(inputs, attributes) {
    const named = namedInputs(inputs, attributes);
    requireFit(named, attributes);
    const { heads, save } = attributes;
    const { batch, length, source, valueWidth, rows } = attentionSizes(named, attributes);
    const saved = save === 'lse' ? f32(...rows) : f32(...rows, source);
    return [f32(batch, length, heads * valueWidth), saved];
  },
  backward({ inputs, outputs: [y, saved], attributes }, [dy]) {
    if (dy === undefined) return [];
    const gradients = attentionGrad(namedInputs(inputs, attributes), y, saved, dy, attributes);
    const { given } = attributes;
    return given.includes('visible') // the fourth input, which has no gradient
      ? [...gradients.slice(0, 3), undefined, ...gradients.slice(3)]
      : [...gradients];
  },
  reference(inputs, [y, saved], attributes) {
    const named = namedInputs(inputs, attributes);
    const { heads, keyHeads, save } = attributes;
    const { batch, length, source, valueWidth } = attentionSizes(named, attributes);
    for (let b = 0; b < batch; b++) {
      for (let h = 0; h < heads; h++) {
        for (let t = 0; t < length; t++) {
          const { first, end, logits } = attentionRow(named, attributes, b, h, t);
          const top = logits.reduce((a, c) => Math.max(a, c), -Infinity);
          const lse = top + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - top), 0));
          const row = savedRow(named, attributes, b, h, t);
          if (save === 'lse') saved.data[row] = lse;
          for (let s = first; s < end; s++) {
            const probability = Math.exp(logits[s - first] - lse);
            if (save === 'probabilities') saved.data[row * source + s] = probability;
            const vStart = ((b * source + s) * keyHeads + keyHeadOf(h, attributes)) * valueWidth;
            for (let p = 0; p < valueWidth; p++)
              y.data[((b * length + t) * heads + h) * valueWidth + p] +=
                probability * named.v.data[vStart + p];
          }
        }
      }
    }
  },
};

function requireFit(named: AttentionInputs<TensorType>, attributes: AttentionAttributes): void {
  const { q, k, v, visible, positions, contentBias, positionBias, scale } = named;
  const { heads, keyHeads, causal } = attributes;
  const sizes = attentionSizes(named, attributes);
  requireShape(
    keyHeads === heads || keyHeads === 1,
    'attention',
    `keyHeads must be 1 or heads, ${heads}; it is ${keyHeads}.`,
  );
  requireShape(
    [q, k, v].every(({ shape }) => shape.length === 3 && shape[0] === sizes.batch) &&
      Number.isInteger(sizes.width) &&
      Number.isInteger(sizes.valueWidth) &&
      k.shape[2] === keyHeads * sizes.width &&
      v.shape[1] === sizes.source &&
      (!causal || sizes.source >= sizes.length),
    'attention',
    `q ${show(q)}, k ${show(k)} and v ${show(v)} do not fit ${heads} heads, ${keyHeads} of keys.`,
  );
  const requireInput = (name: string, tensor: TensorType | undefined, ...shape: number[]) => {
    requireShape(
      tensor === undefined || sameShape(tensor.shape, shape),
      'attention',
      `${name} must be [${shape.join(', ')}], not ${show(tensor ?? q)}.`,
    );
  };
  requireInput('visible', visible, sizes.batch, 2);
  if (visible !== undefined) requireType(visible, 'i32', 'attention', 'visible');
  requireInput('positions', positions, sizes.positions, keyHeads * sizes.width);
  requireInput('contentBias', contentBias, heads * sizes.width);
  requireInput('positionBias', positionBias, heads * sizes.width);
  requireInput('scale', scale, 1);
  requireShape(
    positions !== undefined || (contentBias ?? positionBias) === undefined,
    'attention',
    'contentBias and positionBias need positions.',
  );
}

/**
 * The ranges of `visible`, one a sequence.
 * @throws SwitchyardError('internal') where a query would see no source at all
 */
export function visibleRanges(
  visible: ArrayLike<number>,
  { length, source }: AttentionSizes,
  { causal }: AttentionAttributes,
): { first: number; end: number }[] {
  const last = causal ? source - length : source - 1;
  return Array.from({ length: visible.length / 2 }, (_, b) => {
    const [first, end] = [visible[2 * b], visible[2 * b + 1]];
    if (!(first >= 0 && first <= last && first < end && end <= source))
      throw new SwitchyardError(
        'internal',
        `attention: sequence ${b} makes sources ${first} up to ${end} visible; the first must be from 0 to ${last}, the end after it and at most ${source}.`,
      );
    return { first, end };
  });
}

/** A node's inputs and which optional ones are among them; the inverse of {@link namedInputs}. */
export function listedInputs<T>(inputs: AttentionInputs<T>): {
  listed: T[];
  given: readonly OptionalInput[];
} {
  const { q, k, v } = inputs;
  const given = optionalInputs.filter((name) => inputs[name] !== undefined);
  return { listed: [q, k, v, ...given.flatMap((name) => inputs[name] ?? [])], given };
}

/** See {@link attentionOp}: [y, saved]. An optional input that is undefined is not given. */
export function attention(
  inputs: AttentionInputs<Tensor>,
  attributes: Omit<AttentionAttributes, 'given'>,
): readonly Tensor[] {
  const { listed, given } = listedInputs(inputs);
  return inputs.q.graph.emit(attentionOp, listed, { ...attributes, given });
}
