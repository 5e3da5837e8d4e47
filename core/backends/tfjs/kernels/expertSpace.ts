/**
 * The dense-masked form of cvmm: every expert's product is made for every token, and gates that are
 * zero where an expert was not chosen select among them. All products are then ordinary matrix
 * products, which is the faster way while few experts are idle (E/k small).
 *
 * "Expert space" is [N, G, E, C]: one row vector for each token and expert. `spread` takes a layout's
 * rows there, `collect` sums them back, `products` holds the expert matrices.
 */
import { slots, type CvmmAttributes, type Layout } from '../../../graph/ops/cvmm.ts';
import type { Setup, TfTensor } from '../kernel.ts';
import { oneHot } from './oneHot.ts';
import { product } from './products.ts';

/** Sizes of one cvmm node. */
export interface ExpertShape {
  /** Tokens. */
  readonly rows: number;
  readonly groups: number;
  /** Experts of one group. */
  readonly experts: number;
  readonly k: number;
}

/** @param all expert matrices in all, G·E */
export function expertShape(
  rows: number,
  all: number,
  { groups, k }: Pick<CvmmAttributes, 'groups' | 'k'>,
): ExpertShape {
  return { rows, groups, experts: all / groups, k };
}

/** Matrices as [G·E, I, O] whatever way they are stored. */
export function upright({ tf }: Setup, matrices: TfTensor, transpose: boolean): TfTensor {
  return transpose ? tf.transpose(matrices, [0, 2, 1]) : matrices;
}

/** Who was chosen, as factors: for a group as a whole [N, G, E, 1], and for each of its k slots. */
export interface Gates {
  readonly group: TfTensor;
  readonly choices: readonly TfTensor[];
}

/** Gates from indices [.., G·k], times weights of the same shape if given. */
export function gatesOf(
  setup: Setup,
  { rows, groups, experts, k }: ExpertShape,
  indices: TfTensor,
  weights: TfTensor | undefined,
  perChoice: boolean,
): Gates {
  const { tf, cheapReads } = setup;
  if (cheapReads) {
    const chosen = indices.dataSync();
    const factors = weights?.dataSync();
    const group = new Float32Array(rows * groups * experts);
    const choices = perChoice
      ? Array.from({ length: k }, () => new Float32Array(group.length))
      : [];
    for (let slot = 0, i = 0; slot < rows * groups; slot++) {
      for (let j = 0; j < k; j++, i++) {
        const place = slot * experts + chosen[i];
        const factor = factors === undefined ? 1 : factors[i];
        group[place] = factor;
        if (perChoice) choices[j][place] = factor;
      }
    }
    const tensor = (values: Float32Array) => tf.tensor(values, [rows, groups, experts, 1]);
    return { group: tensor(group), choices: choices.map(tensor) };
  }
  let hot: TfTensor = oneHot(tf, tf.reshape(indices, [rows * groups, k]), experts); // [N·G, k, E]
  if (weights !== undefined) hot = tf.mul(hot, tf.reshape(weights, [rows * groups, k, 1]));
  const shape = [rows, groups, experts, 1];
  return {
    group: tf.reshape(tf.sum(hot, 1), shape),
    choices: perChoice
      ? tf.split(hot, k, 1).map((choice): TfTensor => tf.reshape(choice, shape))
      : [],
  };
}

/** Rows of a layout [.., slots·C] → expert space [N, G, E, C], times the gates. */
export function spread(
  { tf }: Setup,
  { rows, groups, k }: ExpertShape,
  x: TfTensor,
  layout: Layout,
  gates: Gates,
): TfTensor {
  const width = x.size / rows / slots(layout, groups, k);
  if (layout === 'token') return tf.mul(tf.reshape(x, [rows, 1, 1, width]), gates.group);
  if (layout === 'group') return tf.mul(tf.reshape(x, [rows, groups, 1, width]), gates.group);
  const perChoice = tf.reshape(x, [rows, groups, k, width]);
  const parts = gates.choices.map((gate, j) =>
    tf.mul(tf.slice(perChoice, [0, 0, j, 0], [rows, groups, 1, width]), gate),
  );
  return parts.length === 1 ? parts[0] : tf.addN(parts);
}

/** Expert space [N, G, E, C] → rows of a layout [N, slots·C], weighted by the gates and summed. */
export function collect(
  { tf }: Setup,
  { rows, groups, experts, k }: ExpertShape,
  z: TfTensor,
  layout: Layout,
  gates: Gates,
): TfTensor {
  const width = z.size / rows / groups / experts;
  const flat = [rows, slots(layout, groups, k) * width];
  if (layout === 'choice') {
    const parts = gates.choices.map((gate) => tf.sum<TfTensor>(tf.mul(z, gate), 2)); // [N, G, C]
    return tf.reshape(parts.length === 1 ? parts[0] : tf.stack(parts, 2), flat);
  }
  const gated = tf.mul(z, gates.group);
  return tf.reshape(
    layout === 'group'
      ? tf.sum<TfTensor>(gated, 2)
      : tf.sum<TfTensor>(tf.reshape(gated, [rows, groups * experts, width]), 1),
    flat,
  );
}

/**
 * For every choice, its expert's value: [N, G, E] → [N·G·k] in the shape of `indices`.
 * @param hot gates of the choices, without weights; needed on a GPU only
 */
export function pick(
  setup: Setup,
  shape: ExpertShape,
  perExpert: TfTensor,
  indices: TfTensor,
  hot: () => Gates,
): TfTensor {
  const { tf, cheapReads } = setup;
  const { rows, groups, experts, k } = shape;
  if (!cheapReads) {
    const z = tf.reshape(perExpert, [rows, groups, experts, 1]);
    return tf.reshape(collect(setup, shape, z, 'choice', hot()), indices.shape);
  }
  const values = perExpert.dataSync();
  const chosen = indices.dataSync();
  const picked = new Float32Array(chosen.length);
  for (let c = 0; c < chosen.length; c++)
    picked[c] = values[Math.floor(c / k) * experts + chosen[c]];
  return tf.tensor(picked, indices.shape);
}

/** Every expert's product with rows that are not per choice: [.., slots·I] → expert space [N, G, E, O]. */
export function expand(
  setup: Setup,
  { rows, groups, experts }: ExpertShape,
  x: TfTensor,
  layout: 'token' | 'group',
  matrices: TfTensor,
): TfTensor {
  const { tf } = setup;
  const [all, inner, width] = matrices.shape;
  if (layout === 'token' || groups === 1) {
    const wide = tf.reshape(tf.transpose(matrices, [1, 0, 2]), [inner, all * width]); // [I, G·E·O]
    const z = product(setup, tf.reshape(x, [rows, inner]), wide);
    return tf.reshape(z, [rows, groups, experts, width]);
  }
  const wide = tf.reshape(
    tf.transpose(tf.reshape(matrices, [groups, experts, inner, width]), [0, 2, 1, 3]),
    [groups, inner, experts * width],
  );
  const perGroup = tf.transpose(tf.reshape(x, [rows, groups, inner]), [1, 0, 2]); // [G, N, I]
  const z = tf.transpose(product(setup, perGroup, wide), [1, 0, 2]); // [N, G, E·O]
  return tf.reshape(z, [rows, groups, experts, width]);
}

/** Gated expert space [N, G, E, I] times the matrices, summed as far as the layout wants: [N, slots·O]. */
export function contract(
  setup: Setup,
  { rows, groups, experts }: ExpertShape,
  z: TfTensor,
  layout: 'token' | 'group',
  matrices: TfTensor,
): TfTensor {
  const { tf } = setup;
  const [all, inner, width] = matrices.shape;
  if (layout === 'token' || groups === 1)
    return product(
      setup,
      tf.reshape(z, [rows, all * inner]),
      tf.reshape(matrices, [all * inner, width]),
    );
  const perGroup = tf.transpose(tf.reshape(z, [rows, groups, experts * inner]), [1, 0, 2]); // [G, N, E·I]
  const tall = tf.reshape(matrices, [groups, experts * inner, width]);
  const y = tf.transpose(product(setup, perGroup, tall), [1, 0, 2]); // [N, G, O]
  return tf.reshape(y, [rows, groups * width]);
}

/** Expert space through its own matrices: [N, G, E, I] → [N, G, E, O]. */
export function eachExpert(
  setup: Setup,
  { rows, groups, experts }: ExpertShape,
  z: TfTensor,
  matrices: TfTensor,
): TfTensor {
  const { tf } = setup;
  const [all, inner, width] = matrices.shape;
  const perExpert = tf.transpose(tf.reshape(z, [rows, all, inner]), [1, 0, 2]); // [G·E, N, I]
  const y = tf.transpose(product(setup, perExpert, matrices), [1, 0, 2]); // [N, G·E, O]
  return tf.reshape(y, [rows, groups, experts, width]);
}
