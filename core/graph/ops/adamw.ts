import type { Op, ReferenceTensor, Tensor } from '../graph.ts';
import { f32, requireSame } from '../shapes.ts';

export interface AdamwAttributes {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Gradients are scaled by min(1, clip / (norm + 1e-6)), as PyTorch's clip_grad_norm_ does. */
  readonly clip: number;
}

/** The four scalars that precede the tensors in adamw's inputs. */
const scalars = 4;

/** adamw's inputs by role: [learningRate, step, lossScale, norm, parameters…, gradients…, m…, v…]. */
export function adamwParts<X>(inputs: readonly X[]): {
  scalars: readonly X[];
  parameters: readonly X[];
  gradients: readonly X[];
  m: readonly X[];
  v: readonly X[];
} {
  const count = (inputs.length - scalars) / 4;
  const part = (i: number) => inputs.slice(scalars + i * count, scalars + (i + 1) * count);
  return {
    scalars: inputs.slice(0, scalars),
    parameters: part(0),
    gradients: part(1),
    m: part(2),
    v: part(3),
  };
}

/**
 * AdamW with decoupled weight decay (Loshchilov & Hutter 2019) and clipping by global norm, over all
 * parameters in one node so that an executor can do it in few dispatches. Where the norm is not finite
 * every output equals its input: the step is skipped, as dynamic loss scaling needs it.
 * [learningRate, step, lossScale, norm, parameters…, gradients…, m…, v…] → [parameters…, m…, v…].
 */
export const adamwOp: Op<AdamwAttributes> = {
  name: 'adamw',
  infer(inputs) {
    const { parameters, gradients, m, v } = adamwParts(inputs);
    for (const [i, parameter] of parameters.entries())
      for (const other of [gradients[i], m[i], v[i]]) requireSame(parameter, other, 'adamw');
    return [...parameters, ...m, ...v].map(({ shape }) => f32(...shape));
  },
  reference(inputs, outputs, { beta1, beta2, epsilon, weightDecay, clip }) {
    const {
      scalars: [rate, step, lossScale, norm],
      parameters,
      gradients,
      m,
      v,
    } = adamwParts(inputs);
    const learningRate = rate.data[0];
    const t = step.data[0];
    const factor = Math.min(1, clip / (norm.data[0] + 1e-6)) / lossScale.data[0];
    const count = parameters.length;
    if (!Number.isFinite(norm.data[0])) {
      for (const [i, { data }] of [...parameters, ...m, ...v].entries()) outputs[i].data.set(data);
      return;
    }
    for (let i = 0; i < count; i++) {
      const [p, newM, newV]: ReferenceTensor[] = [
        outputs[i],
        outputs[count + i],
        outputs[2 * count + i],
      ];
      for (let j = 0; j < p.data.length; j++) {
        const gradient = gradients[i].data[j] * factor;
        newM.data[j] = beta1 * m[i].data[j] + (1 - beta1) * gradient;
        newV.data[j] = beta2 * v[i].data[j] + (1 - beta2) * gradient * gradient;
        const denominator = Math.sqrt(newV.data[j] / (1 - beta2 ** t)) + epsilon;
        p.data[j] =
          parameters[i].data[j] * (1 - learningRate * weightDecay) -
          (learningRate * newM.data[j]) / (1 - beta1 ** t) / denominator;
      }
    }
  },
  inPlace(output, _attributes, inputs) {
    const count = (inputs - scalars) / 4;
    // Outputs are parameters, m, v; among the inputs the gradients come between the first two.
    return scalars + output + (output < count ? 0 : count);
  },
};

/** See {@link adamwOp}. */
export function adamw(
  parameters: readonly Tensor[],
  gradients: readonly Tensor[],
  m: readonly Tensor[],
  v: readonly Tensor[],
  norm: Tensor,
  attributes: AdamwAttributes,
): { parameters: readonly Tensor[]; m: readonly Tensor[]; v: readonly Tensor[] } {
  const { graph } = norm;
  const controls = [
    graph.uniform('learningRate'),
    graph.uniform('step'),
    graph.uniform('lossScale'),
    norm,
  ];
  const outputs = graph.emit(
    adamwOp,
    [...controls, ...parameters, ...gradients, ...m, ...v],
    attributes,
  );
  const count = parameters.length;
  return {
    parameters: outputs.slice(0, count),
    m: outputs.slice(count, 2 * count),
    v: outputs.slice(2 * count),
  };
}
