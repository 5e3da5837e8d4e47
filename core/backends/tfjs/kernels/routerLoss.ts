/** Regularisers of a router and their gradient, in TensorFlow.js ops. N tokens, G groups, E experts. */
import { bytesOf, type Node } from '../../../graph/graph.ts';
import type { RouterLossAttributes } from '../../../graph/ops/routerLoss.ts';
import { smallestMean, variationEpsilon } from '../../../graph/ops/routerStatistics.ts';
import { last, rowsOf } from '../../../graph/shapes.ts';
import type { Kernels, Setup, TfTensor } from '../kernel.ts';
import { oneHot } from './oneHot.ts';

interface Sizes {
  readonly tokens: number;
  readonly groups: number;
  readonly experts: number;
  readonly k: number;
}

function sizesOf({ inputs: [logits], attributes }: Node<RouterLossAttributes>): Sizes {
  const { groups, k } = attributes;
  return { tokens: rowsOf(logits.shape), groups, experts: last(logits.shape) / groups, k };
}

/** For each expert, how many choices fell on it, or the sum of their `gates` [.., G·k]: [G, E]. */
function perExpert(
  { tf }: Setup,
  { tokens, groups, experts, k }: Sizes,
  indices: TfTensor,
  gates?: TfTensor,
): TfTensor {
  const hot = oneHot(tf, tf.reshape(indices, [tokens, groups, k]), experts); // [N, G, k, E]
  if (gates === undefined) return tf.sum(hot, [0, 2]);
  return tf.sum(tf.mul(hot, tf.reshape(gates, [tokens, groups, k, 1])), [0, 2]);
}

/** Slope of the loss by the mean selection `mean` [G, E], but for a constant; routerLossGrad says why. */
function slopesOf(
  setup: Setup,
  sizes: Sizes,
  { entropy, switch: balance }: RouterLossAttributes,
  mean: TfTensor,
  indices: TfTensor,
): TfTensor {
  const { tf } = setup;
  const { tokens, experts, k } = sizes;
  const parts: TfTensor[] = [];
  if (entropy !== 0) parts.push(tf.mul(tf.log(tf.maximum(mean, smallestMean)), entropy));
  if (balance !== 0)
    parts.push(tf.mul(perExpert(setup, sizes, indices), (balance * experts) / (tokens * k)));
  return tf.addN(parts);
}

/** What cv² is made of, for gate sums I [G, E]; see squaredVariation of routerStatistics.ts. */
function variationParts({ tf }: Setup, experts: number, sums: TfTensor) {
  const total = tf.sum<TfTensor>(tf.abs(sums), -1, true); // [G, 1]
  const shares = tf.divNoNan(sums, total);
  const mean = tf.mean<TfTensor>(shares, -1, true); // [G, 1]
  const centred = tf.sub(shares, mean);
  const variance = tf.div(tf.sum<TfTensor>(tf.square(centred), -1, true), experts - 1); // [G, 1]
  const scale = tf.add(tf.square(mean), variationEpsilon);
  return { total, mean, centred, scale, value: tf.div(variance, scale) };
}

/**
 * Gradient of cv² with respect to the gate sums I [G, E]. That a share also falls as Σ|I| grows is left
 * out: cv² does not change with the scale of I, but for its epsilon, which is below float32 here.
 */
function variationSlopes(setup: Setup, experts: number, sums: TfTensor): TfTensor {
  const { tf } = setup;
  const { total, mean, centred, scale, value } = variationParts(setup, experts, sums);
  const slopes = tf.sub(
    tf.mul(centred, 2 / (experts - 1)),
    tf.mul(tf.mul(value, mean), 2 / experts),
  );
  return tf.divNoNan(tf.div(slopes, scale), total);
}

const usesMean = ({ entropy, switch: balance }: RouterLossAttributes) =>
  entropy !== 0 || balance !== 0;

/** One expert alone cannot vary. */
const varies = ({ variation }: RouterLossAttributes, { experts }: Sizes) =>
  variation !== 0 && experts > 1;

type Gradient = (inputs: readonly TfTensor[]) => TfTensor;

function prepareLogitGradient(node: Node<RouterLossAttributes>, setup: Setup): Gradient {
  const { tf } = setup;
  const { attributes, inputs } = node;
  const sizes = sizesOf(node);
  const { tokens, groups, experts } = sizes;
  return ([logits, indices, , dLoss]) => {
    const x = tf.reshape(logits, [tokens, groups, experts]);
    const p = tf.softmax(x); // [N, G, E]
    let slope: TfTensor = tf.scalar(0);
    if (usesMean(attributes)) {
      const slopes = slopesOf(setup, sizes, attributes, tf.mean(p, 0), indices); // [G, E]
      slope = tf.sub(slopes, tf.sum<TfTensor>(tf.mul(p, slopes), -1, true)); // [N, G, E]
    }
    if (attributes.z !== 0)
      slope = tf.add(slope, tf.mul(tf.logSumExp<TfTensor>(x, -1, true), 2 * attributes.z));
    const dLogits = tf.mul(tf.mul(p, slope), tf.div(dLoss, groups * tokens));
    return tf.reshape(dLogits, [...inputs[0].shape]);
  };
}

function prepareGateGradient(node: Node<RouterLossAttributes>, setup: Setup): Gradient {
  const { tf } = setup;
  const { attributes, outputs } = node;
  const sizes = sizesOf(node);
  const { groups, experts, k } = sizes;
  if (!varies(attributes, sizes)) return () => tf.zeros([...outputs[1].shape]);
  /** Where a choice's group begins among all experts: [G·k]. */
  const offsets = setup.constant(`router groups ${groups} ${k} ${experts}`, () =>
    tf.tensor1d(
      Int32Array.from({ length: groups * k }, (_, slot) => Math.floor(slot / k) * experts),
      'int32',
    ),
  );
  return ([, indices, gates, dLoss]) => {
    const slopes = variationSlopes(setup, experts, perExpert(setup, sizes, indices, gates));
    const flat = tf.reshape(tf.mul(slopes, attributes.variation / groups), [groups * experts]);
    return tf.mul(tf.gather(flat, tf.add(indices, offsets)), dLoss); // [.., G·k]
  };
}

export const routerLossKernels: Pick<Kernels, 'routerLoss' | 'routerLossGrad'> = {
  routerLoss: {
    prepare(node, setup) {
      const { tf } = setup;
      const { attributes } = node;
      const sizes = sizesOf(node);
      const { tokens, groups, experts } = sizes;
      return ([logits, indices, gates]) => {
        const x = tf.reshape(logits, [tokens, groups, experts]);
        const terms: TfTensor[] = [tf.scalar(0)];
        if (usesMean(attributes)) {
          const mean = tf.mean<TfTensor>(tf.softmax(x), 0); // [G, E]
          terms.push(tf.sum(tf.mul(mean, slopesOf(setup, sizes, attributes, mean, indices))));
        }
        if (attributes.z !== 0)
          terms.push(tf.mul(tf.sum(tf.square(tf.logSumExp(x, -1))), attributes.z / tokens));
        if (varies(attributes, sizes)) {
          const sums = perExpert(setup, sizes, indices, gates);
          const { value } = variationParts(setup, experts, sums);
          terms.push(tf.mul(tf.sum(value), attributes.variation));
        }
        return [tf.div(tf.addN(terms), groups)];
      };
    },
    scratch: ({ inputs: [logits], attributes: { k } }) => (1 + k) * bytesOf(logits),
  },
  routerLossGrad: {
    prepare(node, setup) {
      const logitGradient = prepareLogitGradient(node, setup);
      const gateGradient = prepareGateGradient(node, setup);
      return (inputs) => [
        setup.needed[0] ? logitGradient(inputs) : undefined,
        setup.needed[1] ? gateGradient(inputs) : undefined,
      ];
    },
    scratch: ({ inputs: [logits], attributes: { k } }) => (3 + k) * bytesOf(logits),
  },
};
