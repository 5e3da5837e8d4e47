/**
 * Attention and rotary positions, in TensorFlow.js ops. Few passes over the matrices [.., T, S],
 * which are the largest tensors of a step: scales go into the queries, all masks are one addition,
 * the row sums of the backward pass come from dy·y instead of from the probabilities, and relative
 * positions are moved into place by cutting rows anew.
 *
 * Heads are split head-first, [H, B, T, ·], so that the products with positions, one a head, need no
 * transposition of matrices. With one shared key head the rows of all heads are joined, [B, H·T, ·],
 * so that each matrix of keys takes one product. These axes are written [..keyed].
 */
import { bytesOf, sizeOf, type Node } from '../../../graph/graph.ts';
import {
  attentionSizes,
  listedInputs,
  namedInputs,
  visibleRanges,
  type AttentionAttributes,
  type AttentionInputs,
  type AttentionSizes,
} from '../../../graph/ops/attention.ts';
import { ropeAngle } from '../../../graph/ops/rope.ts';
import { sameShape } from '../../../graph/shapes.ts';
import type { Kernels, Setup, TfTensor } from '../kernel.ts';
import { product, sumOfRows } from './products.ts';
import { columnsOf, joinPositions, shift, splitPositions, unshift } from './relativePositions.ts';

/** Added where a mask hides a source: far below any logit, and exp of it is zero. */
const hidden = -1e9;

/** [B, T, heads·P] → [heads, B, T, P], or with one key head [B, heads·T, P]. */
function splitHeads(
  { tf }: Setup,
  x: TfTensor,
  heads: number,
  { keyHeads }: AttentionAttributes,
): TfTensor {
  const [batch, length, channels] = x.shape;
  const width = channels / heads;
  const joined = [batch, heads * length, width];
  if (heads === 1) return tf.reshape(x, joined);
  return tf.tidy(() => {
    const split = tf.reshape(x, [batch, length, heads, width]);
    if (keyHeads > 1) return tf.transpose(split, [2, 0, 1, 3]);
    return tf.reshape(tf.transpose(split, [0, 2, 1, 3]), joined);
  });
}

/** The inverse of {@link splitHeads}. */
function joinHeads(
  { tf }: Setup,
  x: TfTensor,
  heads: number,
  { keyHeads }: AttentionAttributes,
): TfTensor {
  return tf.tidy(() => {
    if (keyHeads > 1) {
      const [, batch, length, width] = x.shape;
      return tf.reshape(tf.transpose(x, [1, 2, 0, 3]), [batch, length, heads * width]);
    }
    const [batch, rows, width] = x.shape;
    const length = rows / heads;
    const split = heads === 1 ? x : tf.reshape(x, [batch, heads, length, width]);
    const moved = heads === 1 ? split : tf.transpose(split, [0, 2, 1, 3]);
    return tf.reshape(moved, [batch, length, heads * width]);
  });
}

/** [T, S]: zero where query t may see source s, `hidden` elsewhere. None where all may see all. */
function causalMask(
  { tf, constant }: Setup,
  { length, source }: AttentionSizes,
  { causal }: AttentionAttributes,
): TfTensor | undefined {
  if (!causal || length === 1) return undefined;
  return constant(`causal ${length} ${source}`, () => {
    const mask = new Float32Array(length * source);
    for (let t = 0; t < length; t++)
      mask.fill(hidden, t * source + source - length + t + 1, (t + 1) * source);
    return tf.tensor(mask, [length, source]);
  });
}

/**
 * [B, 1, S], or [B, 1, 1, S] with one key head: zero in the visible range of a sequence, far below
 * any logit outside. None where all is visible, if that can be looked up cheaply.
 */
function visibleMask(
  { tf, constant, cheapReads }: Setup,
  visible: TfTensor,
  sizes: AttentionSizes,
  attributes: AttentionAttributes,
): TfTensor | undefined {
  const { batch, source } = sizes;
  if (cheapReads) {
    const ranges = visibleRanges(visible.dataSync(), sizes, attributes);
    if (ranges.every(({ first, end }) => first === 0 && end === source)) return undefined;
  }
  const sources = constant(`sources ${source}`, () => tf.range(0, source));
  const [first, end] = tf.split(tf.cast(visible, 'float32'), 2, 1); // [B, 1]
  const before = tf.relu(tf.sub(first, sources)); // [B, S]
  const after = tf.relu(tf.sub(tf.add(sources, 1), end));
  const mask = tf.mul(tf.add(before, after), hidden);
  return tf.reshape(mask, attributes.keyHeads === 1 ? [batch, 1, 1, source] : [batch, 1, source]);
}

/** A product of which nothing stays alive but the result. */
function multiply(...operands: Parameters<typeof product>): TfTensor {
  const [{ tf }] = operands;
  return tf.tidy(() => product(...operands));
}

/** x in a shape; x itself where it has that shape. */
const shaped = ({ tf }: Setup, x: TfTensor, shape: readonly number[]): TfTensor =>
  sameShape(x.shape, shape) ? x : tf.reshape(x, [...shape]);

/** x in another shape, instead of x: the library counts the bytes of both while both are alive. */
function reshaped(setup: Setup, x: TfTensor, shape: readonly number[]): TfTensor {
  const result = shaped(setup, x, shape);
  if (result !== x) setup.free(x);
  return result;
}

/** The shape of all matrices where they are multiplied: [..keyed, S]. */
const keyed = ({ batch, rows, source }: AttentionSizes, { keyHeads }: AttentionAttributes) =>
  keyHeads === 1 ? [batch, sizeOf(rows) / batch, source] : [...rows, source];

/** Adds all masks to logits, which it frees: [..rows, S]. */
function masked(
  setup: Setup,
  logits: TfTensor,
  { visible }: AttentionInputs<TfTensor>,
  sizes: AttentionSizes,
  attributes: AttentionAttributes,
): TfTensor {
  const { tf, free } = setup;
  const causal = causalMask(setup, sizes, attributes);
  const range = visible && visibleMask(setup, visible, sizes, attributes);
  const mask = causal && range ? tf.add<TfTensor>(range, causal) : (causal ?? range);
  if (mask === undefined) return logits;
  const sum = tf.add<TfTensor>(logits, mask);
  free(logits);
  return sum;
}

/** The operands of products with positions, by heads. */
interface Relative extends Record<string, TfTensor> {
  /** Queries with the position bias: [Hk, B·T·H/Hk, P]. */
  readonly queries: TfTensor;
  /** [Hk, M, P] */
  readonly positions: TfTensor;
}

/** What the products of logits are made of, by heads. */
interface Operands {
  /** What all logits are multiplied by. */
  readonly factor: number | TfTensor;
  /** Queries with the content bias: [..keyed, P]. */
  readonly content: TfTensor;
  /** [H, B, S, P] or [B, S, P] */
  readonly keys: TfTensor;
  readonly relative: Relative | undefined;
}

function operandsOf(
  setup: Setup,
  { q, k, positions, contentBias, positionBias, scale }: AttentionInputs<TfTensor>,
  sizes: AttentionSizes,
  attributes: AttentionAttributes,
): Operands {
  const { tf } = setup;
  const { heads, keyHeads } = attributes;
  const queries = (bias: TfTensor | undefined): TfTensor =>
    tf.tidy(() => splitHeads(setup, bias ? tf.add(q, bias) : q, heads, attributes));
  const content = queries(contentBias);
  const position = contentBias === positionBias ? content : queries(positionBias);
  return {
    factor: scale ? tf.mul(scale, attributes.scale) : attributes.scale,
    content,
    keys: splitHeads(setup, k, keyHeads, attributes),
    relative: positions && {
      queries: tf.reshape(position, [keyHeads, -1, sizes.width]),
      positions: splitPositions(setup, positions, keyHeads, sizes),
    },
  };
}

/** Logits before masks: [..rows, S]. */
function logitsOf(
  setup: Setup,
  { factor, content, keys, relative }: Operands,
  sizes: AttentionSizes,
): TfTensor {
  const { tf, free } = setup;
  const shape = [...sizes.rows, sizes.source];
  return tf.tidy(() => {
    let second: TfTensor | undefined;
    if (relative !== undefined) {
      const scaled = tf.mul(relative.queries, factor);
      const products = multiply(setup, scaled, relative.positions, false, true); // [Hk, B·T·H/Hk, M]
      second = reshaped(setup, shift(setup, products, sizes), shape);
    }
    const byKeys = multiply(setup, tf.mul(content, factor), keys, false, true); // [..keyed, S]
    const first = reshaped(setup, byKeys, shape);
    if (second === undefined) return first;
    const sum = tf.add<TfTensor>(first, second);
    free(first, second);
    return sum;
  });
}

/** From the gradient of the logits, which it frees, those of all inputs but v. */
function gradientsOfLogits(
  setup: Setup,
  dLogits: TfTensor,
  operands: Operands,
  given: AttentionInputs<TfTensor>,
  attributes: AttentionAttributes,
): Omit<AttentionInputs<TfTensor>, 'v'> {
  const { tf, free } = setup;
  const { heads, keyHeads, scale } = attributes;
  const { factor, content, keys, relative } = operands;
  const sizes = attentionSizes(given, attributes);
  const joined = (x: TfTensor): TfTensor =>
    tf.tidy(() => joinHeads(setup, tf.mul(x, factor), heads, attributes));
  const summed = (x: TfTensor): TfTensor =>
    tf.tidy(() => sumOfRows(setup, tf.reshape(joined(x), [-1, heads * sizes.width])));
  // Gradients of queries are kept without the factor: the learned scale's gradient needs them so.
  const dContent = multiply(setup, dLogits, keys); // [..keyed, P]
  const dk = multiply(setup, dLogits, tf.mul(content, factor), true, false); // laid out like keys
  const back = relative && gradientsOfRelative(setup, dLogits, relative, factor, sizes);
  free(dLogits);
  const dPosition = back && tf.reshape(back.queries, dContent.shape);
  const dScale = () => {
    const terms = [tf.sum(tf.mul(content, dContent))];
    if (relative && back) terms.push(tf.sum(tf.mul(relative.queries, back.queries)));
    return tf.reshape(tf.mul(tf.addN(terms), scale), [1]);
  };
  return {
    q: joined(dPosition ? tf.add(dContent, dPosition) : dContent),
    k: joinHeads(setup, dk, keyHeads, attributes),
    positions: back && joinPositions(setup, back.positions, sizes),
    contentBias: given.contentBias && summed(dContent),
    positionBias: given.positionBias && dPosition && summed(dPosition),
    scale: given.scale && dScale(),
  };
}

/** The part of {@link gradientsOfLogits} of positions, in the shapes of `Relative`. Frees dLogits. */
function gradientsOfRelative(
  setup: Setup,
  dLogits: TfTensor,
  { queries, positions }: Relative,
  factor: Operands['factor'],
  sizes: AttentionSizes,
): Relative {
  const { tf } = setup;
  return tf.tidy(() => {
    const shape = [...queries.shape.slice(0, -1), columnsOf(sizes)]; // [Hk, B·T·H/Hk, M]
    const dProducts = reshaped(setup, unshift(setup, dLogits, sizes), shape);
    return {
      queries: multiply(setup, dProducts, positions), // without the factor
      positions: multiply(setup, dProducts, tf.mul(queries, factor), true, false),
    };
  });
}

/** Bytes of all matrices [T, S], of all products with positions [T, M], and of the operands. */
function bytesOfParts({ inputs, attributes }: Node<AttentionAttributes>) {
  const { q, k, positions } = namedInputs(inputs, attributes);
  const { rows, source, ...sizes } = attentionSizes(namedInputs(inputs, attributes), attributes);
  const column = 4 * sizeOf(rows);
  return {
    matrices: column * source,
    products: positions ? column * columnsOf({ rows, source, ...sizes }) : 0,
    operands: bytesOf(q) + bytesOf(k) + (positions ? bytesOf(q) + bytesOf(positions) : 0),
  };
}

export const attentionKernels: Pick<Kernels, 'attention' | 'attentionGrad' | 'rope'> = {
  attention: {
    prepare({ inputs: tensors, attributes }, setup) {
      const { tf, free, needed } = setup;
      const { heads, keyHeads, save } = attributes;
      const sizes = attentionSizes(namedInputs(tensors, attributes), attributes);
      return (inputs) => {
        const named = namedInputs(inputs, attributes);
        const operands = operandsOf(setup, named, sizes, attributes);
        const unmasked = logitsOf(setup, operands, sizes);
        free(operands.content, operands.keys);
        const logits = masked(setup, unmasked, named, sizes, attributes);
        const lse = save === 'lse' && needed[1] ? tf.logSumExp<TfTensor>(logits, -1) : undefined;
        const probabilities = tf.softmax(logits); // [..rows, S]
        free(logits);
        const values = splitHeads(setup, named.v, keyHeads, attributes); // laid out like keys
        const y: TfTensor = tf.tidy(() =>
          product(setup, shaped(setup, probabilities, keyed(sizes, attributes)), values),
        ); // [..keyed, Pv]
        return [joinHeads(setup, y, heads, attributes), save === 'lse' ? lse : probabilities];
      };
    },
    scratch(node) {
      const { matrices, products, operands } = bytesOfParts(node);
      const atOnce = products > 0 ? Math.max(3 * matrices, 2 * products) : 2 * matrices;
      // The probabilities are one of these matrices and, where they are saved, an output.
      const output = node.attributes.save === 'probabilities' ? matrices : 0;
      return atOnce - output + operands;
    },
  },
  attentionGrad: {
    prepare({ inputs: tensors, attributes }, setup) {
      const { tf, free } = setup;
      const { heads, keyHeads, save } = attributes;
      const sizes = attentionSizes(namedInputs(tensors, attributes), attributes);
      return (inputs) => {
        const named = namedInputs(inputs, attributes);
        const [y, saved, dy] = inputs.slice(-3);
        const operands = operandsOf(setup, named, sizes, attributes);
        let probabilities = saved; // [..rows, S]
        if (save === 'lse') {
          const unmasked = logitsOf(setup, operands, sizes);
          const logits = masked(setup, unmasked, named, sizes, attributes);
          const shifted = tf.sub(logits, tf.expandDims(saved, -1));
          free(logits);
          probabilities = tf.exp(shifted);
          free(shifted);
        }
        const byKeys = keyed(sizes, attributes);
        const dyHeads = splitHeads(setup, dy, heads, attributes); // [..keyed, Pv]
        const dv: TfTensor = tf.tidy(() =>
          product(setup, shaped(setup, probabilities, byKeys), dyHeads, true, false),
        ); // laid out like keys
        const values = splitHeads(setup, named.v, keyHeads, attributes); // laid out like keys
        const products = multiply(setup, dyHeads, values, false, true); // [..keyed, S]
        free(dyHeads, values);
        const dProbabilities = reshaped(setup, products, [...sizes.rows, sizes.source]);
        const rowDots: TfTensor = tf.tidy(() => {
          const terms = splitHeads(setup, tf.mul(dy, y), heads, attributes);
          return reshaped(setup, tf.sum(terms, -1, true), [...sizes.rows, 1]);
        });
        const centred = tf.sub(dProbabilities, rowDots);
        free(dProbabilities);
        const dMatrices = tf.mul(probabilities, centred); // [..rows, S]
        free(centred);
        if (save === 'lse') free(probabilities);
        const dLogits = reshaped(setup, dMatrices, byKeys); // [..keyed, S]
        const { listed } = listedInputs({
          ...gradientsOfLogits(setup, dLogits, operands, named, attributes),
          v: joinHeads(setup, dv, keyHeads, attributes),
        });
        return listed;
      };
    },
    scratch(node, backend) {
      const { matrices, products, operands } = bytesOfParts(node);
      const recomputed = node.attributes.save === 'lse' ? matrices : 0;
      // On wasm a product with a transposed matrix holds that matrix once more.
      const transposed = backend === 'wasm' ? Math.max(matrices, products) : 0;
      return Math.max(2 * matrices + recomputed, 2 * products) + transposed + operands;
    },
  },
  rope: {
    prepare({ inputs: [input], attributes }, { tf, constant }) {
      const { heads, rotated, base, offset, inverse } = attributes;
      const [batch, length, channels] = input.shape;
      const width = channels / heads;
      const half = rotated / 2;
      if (half === 0) return ([x]) => [tf.clone(x)];
      const table = (name: 'cos' | 'sin') =>
        constant(`rope ${name} ${length} ${rotated} ${base} ${offset}`, () => {
          const values = new Float32Array(length * half);
          for (let t = 0; t < length; t++)
            for (let i = 0; i < half; i++)
              values[t * half + i] = Math[name](ropeAngle(offset + t, i, rotated, base));
          return tf.tensor(values, [length, 1, half]); // [T, 1, rotated/2]
        });
      const cos = table('cos');
      const sin = table('sin');
      return ([x]) => {
        const split = tf.reshape(x, [batch, length, heads, width]);
        const part = (start: number, size: number) =>
          tf.slice(split, [0, 0, 0, start], [batch, length, heads, size]);
        const first = part(0, half); // [B, T, H, rotated/2]
        const second = part(half, half);
        const [plus, minus] = inverse ? [tf.sub, tf.add] : [tf.add, tf.sub];
        const parts: TfTensor[] = [
          minus(tf.mul(first, cos), tf.mul(second, sin)),
          plus(tf.mul(second, cos), tf.mul(first, sin)),
        ];
        if (rotated < width) parts.push(part(rotated, width - rotated));
        return [tf.reshape(tf.concat(parts, -1), [batch, length, channels])];
      };
    },
    scratch: ({ inputs: [x] }) => 4 * bytesOf(x),
  },
};
