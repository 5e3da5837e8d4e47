/**
 * Kernels as plain loops over typed arrays. On a CPU reading a tensor costs one copy at most, and one
 * loop in double precision often beats ten TensorFlow.js ops, each a pass over memory of its own.
 */
import { sizeOf, type Node } from '../../../graph/graph.ts';
import type { Run, Setup, TfTensor } from '../kernel.ts';

export type Values = Float32Array | Int32Array;

/** Fills `outputs` (zeroed) from `inputs`, which it must not change: they may be the tensors' own memory. */
export type Loop = (
  inputs: readonly Values[],
  outputs: readonly Float32Array[],
  tensors: readonly TfTensor[],
) => void;

/** A kernel whose outputs are all f32, from a loop. */
export function onHost(node: Node, { tf }: Setup, loop: Loop): Run {
  const sizes = node.outputs.map(({ shape }) => sizeOf(shape));
  const shapes = node.outputs.map(({ shape }) => [...shape]);
  return (tensors) => {
    const inputs = tensors.map((tensor) => tensor.dataSync() as Values);
    const outputs = sizes.map((size) => new Float32Array(size));
    loop(inputs, outputs, tensors);
    return outputs.map((values, i) => tf.tensor(values, shapes[i], 'float32'));
  };
}

/** A kernel that is the op's own reference, for ops that a step spends little time in. */
export function byReference<A>(node: Node<A>, setup: Setup): Run {
  return onHost(node, setup, (inputs, outputs) => {
    const given = inputs.map((values, i) => ({
      shape: node.inputs[i].shape,
      data: new Float64Array(values),
    }));
    const made = node.outputs.map(({ shape }) => ({
      shape,
      data: new Float64Array(sizeOf(shape)),
    }));
    node.op.reference(given, made, node.attributes);
    for (const [i, { data }] of made.entries()) outputs[i].set(data);
  });
}
