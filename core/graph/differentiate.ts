import { SwitchyardError } from '../contract/errors.ts';
import type { Tensor } from './graph.ts';
import { add } from './ops/add.ts';

/**
 * Reverse-mode differentiation: appends the backward pass of `loss` to its graph, as ordinary nodes.
 * @param loss a scalar
 * @param wrt tensors whose gradients are wanted
 * @param seed gradient of `loss` itself, a scalar; the loss scale in training
 * @returns the gradients in the order of `wrt`, in the shapes of `wrt`
 * @throws SwitchyardError('internal') when the loss does not depend on one of them
 */
export function differentiate(loss: Tensor, wrt: readonly Tensor[], seed: Tensor): Tensor[] {
  const { graph } = loss;
  const wanted = new Set(wrt.map((tensor) => tensor.id));
  const forward = [...graph.nodes];
  // Only tensors between `wrt` and the loss take part.
  const active = new Set(wanted);
  for (const node of forward) {
    if (node.inputs.some((input) => active.has(input.id)))
      for (const output of node.outputs) if (output.dtype === 'f32') active.add(output.id);
  }
  const gradients = new Map<number, Tensor>([[loss.id, seed]]);
  for (const node of forward.toReversed()) {
    const outputGradients = node.outputs.map((output) => gradients.get(output.id));
    if (outputGradients.every((gradient) => gradient === undefined)) continue;
    const needs = node.inputs.map((input) => active.has(input.id));
    if (!needs.includes(true)) continue;
    if (node.op.backward === undefined)
      throw new SwitchyardError('internal', `${node.op.name} has no gradient rule.`);
    const inputGradients = node.op.backward(node, outputGradients, needs);
    for (const [i, input] of node.inputs.entries()) {
      const gradient = inputGradients.at(i);
      if (gradient === undefined || !needs[i]) continue;
      const earlier = gradients.get(input.id);
      gradients.set(input.id, earlier === undefined ? gradient : add(earlier, gradient));
    }
  }
  return wrt.map((tensor) => {
    const gradient = gradients.get(tensor.id);
    if (gradient === undefined) {
      const name = 'name' in tensor.source ? ` "${tensor.source.name}"` : '';
      throw new SwitchyardError(
        'internal',
        `The loss does not depend on the tensor${name} of shape [${tensor.shape.join(', ')}].`,
      );
    }
    return gradient;
  });
}
