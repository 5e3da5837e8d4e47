/** cvmm and its gradients, dense-masked (expertSpace.ts). */
import type { Node } from '../../../graph/graph.ts';
import { slots, type CvmmAttributes } from '../../../graph/ops/cvmm.ts';
import { last, rowsOf } from '../../../graph/shapes.ts';
import type { Kernels, Setup, TfTensor } from '../kernel.ts';
import {
  collect,
  contract,
  eachExpert,
  expand,
  expertShape,
  gatesOf,
  pick,
  spread,
  upright,
  type ExpertShape,
  type Gates,
} from './expertSpace.ts';
import { product } from './products.ts';

/**
 * Σ gate · x · W[expert]: rows of layout `from` → rows of layout `to`, the cheapest way for their
 * widths. `hot` gives the gates without weights; only choice → choice needs both.
 */
function through(
  setup: Setup,
  shape: ExpertShape,
  x: TfTensor,
  matrices: TfTensor,
  gates: Gates,
  hot: () => Gates,
  from: CvmmAttributes['from'],
  to: CvmmAttributes['to'],
): TfTensor {
  const [, inner, width] = matrices.shape;
  if (from !== 'choice' && (to === 'choice' || width < inner))
    return collect(setup, shape, expand(setup, shape, x, from, matrices), to, gates);
  if (to !== 'choice')
    return contract(setup, shape, spread(setup, shape, x, from, gates), to, matrices);
  const spreadX = spread(setup, shape, x, from, hot());
  return collect(setup, shape, eachExpert(setup, shape, spreadX, matrices), to, gates);
}

/** Bytes of one tensor in expert space, per column. */
const expertBytes = (rows: number, all: number) => 4 * rows * all;

const perChoice = ({ from, to }: CvmmAttributes) => from === 'choice' || to === 'choice';

function smallerWidth({ inputs }: Node<CvmmAttributes>, matrices: number): number {
  const [, rows, columns] = inputs[matrices].shape;
  return Math.min(rows, columns);
}

export const expertKernelsDense: Pick<Kernels, 'cvmm' | 'cvmmGradInput' | 'cvmmGradWeight'> = {
  cvmm: {
    prepare({ inputs, outputs, attributes }, setup) {
      const { tf } = setup;
      const { from, to, transpose, activation } = attributes;
      const shape = expertShape(rowsOf(inputs[0].shape), inputs[2].shape[0], attributes);
      return ([x, indices, matrices, weights]) => {
        const gates = gatesOf(setup, shape, indices, weights, perChoice(attributes));
        const hot = () => gatesOf(setup, shape, indices, undefined, true);
        const y = through(
          setup,
          shape,
          x,
          upright(setup, matrices, transpose),
          gates,
          hot,
          from,
          to,
        );
        return [tf.reshape(activation === 'relu' ? tf.relu(y) : y, [...outputs[0].shape])];
      };
    },
    scratch: (node) =>
      2 *
      expertBytes(rowsOf(node.inputs[0].shape), node.inputs[2].shape[0]) *
      smallerWidth(node, 2),
  },

  cvmmGradInput: {
    prepare({ inputs, outputs, attributes }, setup) {
      const { tf } = setup;
      const { from, to, transpose, groups, k } = attributes;
      const rows = rowsOf(inputs[1].shape);
      const shape = expertShape(rows, inputs[3].shape[0], attributes);
      return ([dy, x, indices, stored, weights]) => {
        const weighted = (weights as TfTensor | undefined) !== undefined;
        const matrices = upright(setup, stored, transpose); // [G·E, I, O]
        const [, inner, width] = matrices.shape;
        const turned = tf.transpose(matrices, [0, 2, 1]); // [G·E, O, I]
        const gates = gatesOf(setup, shape, indices, weights, perChoice(attributes));
        if (!weighted) {
          const dx = through(setup, shape, dy, turned, gates, () => gates, to, from);
          return [tf.reshape(dx, [...outputs[0].shape])];
        }
        const hot = () => gatesOf(setup, shape, indices, undefined, true);
        const results = (dx: TfTensor, dWeights: TfTensor) => [
          tf.reshape(dx, [...outputs[0].shape]),
          tf.reshape(dWeights, [...outputs[1].shape]),
        ];
        if (from === 'choice') {
          // u = dy·Wᵀ of every choice gives both: dx = w·u and dw = Σ x·u.
          const unweighted = hot();
          const u = tf.reshape(
            through(setup, shape, dy, turned, unweighted, () => unweighted, to, 'choice'),
            [rows, groups * k, inner],
          );
          const dWeights = tf.sum(tf.mul(u, tf.reshape(x, [rows, groups * k, inner])), -1);
          return results(tf.mul(u, tf.reshape(weights, [rows, groups * k, 1])), dWeights);
        }
        /** dw from what every expert would contribute [N, G, E, C]: summed over C, then the chosen. */
        const chosen = (contributions: TfTensor) =>
          pick(setup, shape, tf.sum<TfTensor>(contributions, -1), indices, hot);
        if (to !== 'choice' && inner < width) {
          const u = expand(setup, shape, dy, to, turned); // [N, G, E, I]
          const xShape = [rows, slots(from, groups, k), 1, inner];
          return results(
            collect(setup, shape, u, from, gates),
            chosen(tf.mul(u, tf.reshape(x, xShape))),
          );
        }
        const dx = through(setup, shape, dy, turned, gates, hot, to, from);
        const y = expand(setup, shape, x, from, matrices); // [N, G, E, O]
        const contributions =
          to === 'choice'
            ? tf.mul(y, spread(setup, shape, dy, to, hot()))
            : tf.mul(y, tf.reshape(dy, [rows, slots(to, groups, k), 1, width]));
        return results(dx, chosen(contributions));
      };
    },
    scratch: (node) =>
      3 *
      expertBytes(rowsOf(node.inputs[1].shape), node.inputs[3].shape[0]) *
      smallerWidth(node, 3),
  },

  cvmmGradWeight: {
    prepare({ inputs, attributes }, setup) {
      const { tf } = setup;
      const { from, to, transpose, experts: all, groups, k } = attributes;
      const rows = rowsOf(inputs[0].shape);
      const shape = expertShape(rows, all, attributes);
      const inner = last(inputs[0].shape) / slots(from, groups, k);
      const width = last(inputs[1].shape) / slots(to, groups, k);
      return ([x, dy, indices, weights]) => {
        const gates = gatesOf(setup, shape, indices, weights, perChoice(attributes));
        let dMatrices: TfTensor; // [G·E, I, O]
        if (to === 'token') {
          const z = tf.reshape(spread(setup, shape, x, from, gates), [rows, all * inner]);
          dMatrices = tf.reshape(product(setup, z, tf.reshape(dy, [rows, width]), true, false), [
            all,
            inner,
            width,
          ]);
        } else if (from === 'token') {
          const z = tf.reshape(spread(setup, shape, dy, to, gates), [rows, all * width]);
          const wide = product(setup, tf.reshape(x, [rows, inner]), z, true, false); // [I, G·E·O]
          dMatrices = tf.transpose(tf.reshape(wide, [inner, all, width]), [1, 0, 2]);
        } else {
          const hot = gatesOf(setup, shape, indices, undefined, perChoice(attributes));
          const perExpert = (z: TfTensor, columns: number) =>
            tf.transpose(tf.reshape(z, [rows, all, columns]), [1, 0, 2]); // [G·E, N, C]
          dMatrices = product(
            setup,
            perExpert(spread(setup, shape, x, from, gates), inner),
            perExpert(spread(setup, shape, dy, to, hot), width),
            true,
            false,
          );
        }
        return [upright(setup, dMatrices, transpose)];
      };
    },
    scratch: ({ inputs: [x, dy], attributes: { experts, from, to, groups, k } }) =>
      2 *
      expertBytes(rowsOf(x.shape), experts) *
      Math.min(last(x.shape) / slots(from, groups, k), last(dy.shape) / slots(to, groups, k)),
  },
};
