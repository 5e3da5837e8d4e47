/**
 * In which type a tensor is stored. With precision f16, activations and their gradients take half the
 * memory where 11 bits are enough: what products make and read. The residual stream, normalisation
 * statistics, routing, losses, parameters and their gradients stay f32 (Micikevicius et al. 2018).
 */
import type { Precision } from '../../contract/records.ts';
import { sizeOf, type Graph, type Node, type Tensor } from '../../graph/graph.ts';
import type { OpName } from '../../graph/ops/index.ts';
import type { ElementType } from './kernel.ts';

/** Outputs that are always stored in f16: by op, the numbers of its outputs. */
const half: Readonly<Partial<Record<OpName, readonly number[]>>> = {
  attention: [0],
  attentionGrad: [0, 1, 2],
  crossEntropyGrad: [0],
  cvmm: [0],
  cvmmGradInput: [0],
  layernorm: [0],
};

/** Ops whose output is stored as their inputs are: f16 if all tensors among them are. */
const like: ReadonlySet<string> = new Set<OpName>([
  'add',
  'concat',
  'dropout',
  'reluGrad',
  'rope',
  'scale',
  'slice',
]);

/** Ops that choose by their input: rounding would change the choice. */
const routing: ReadonlySet<string> = new Set<OpName>([
  'select',
  'expertDropout',
  'softmax',
  'routerLoss',
  'routerLossGrad',
]);

export class StorageTypes {
  private readonly precision: Precision;
  private readonly known = new WeakMap<Tensor, ElementType>();
  private readonly readers = new WeakMap<Graph, ReadonlyMap<number, readonly Node[]>>();

  constructor(precision: Precision) {
    this.precision = precision;
  }

  /** The type of a tensor, once its graph is complete. */
  of(tensor: Tensor): ElementType {
    if (tensor.dtype === 'i32') return 'i32';
    if (this.precision === 'f32' || tensor.source.kind !== 'node') return 'f32';
    // Ranges are padded to 16 bytes: halving these would save nothing.
    if (sizeOf(tensor.shape) <= 4) return 'f32';
    let type = this.known.get(tensor);
    if (type === undefined) {
      type = this.isHalf(tensor, tensor.source.node, tensor.source.output) ? 'f16' : 'f32';
      this.known.set(tensor, type);
    }
    return type;
  }

  private isHalf(tensor: Tensor, node: Node, output: number): boolean {
    const name = node.op.name as OpName;
    if (half[name]?.includes(output) === true) return true;
    if (like.has(name))
      return node.inputs.every(
        (input) => input.source.kind === 'uniform' || this.of(input) === 'f16',
      );
    if (name !== 'matmul') return false;
    const { transposeA } = node.attributes as { transposeA: boolean };
    return !transposeA && !this.readersOf(tensor).some(({ op }) => routing.has(op.name));
  }

  private readersOf(tensor: Tensor): readonly Node[] {
    const { graph } = tensor;
    let readers = this.readers.get(graph);
    if (readers === undefined) {
      const found = new Map<number, Node[]>();
      for (const node of graph.nodes)
        for (const { id } of node.inputs) found.set(id, [...(found.get(id) ?? []), node]);
      readers = found;
      this.readers.set(graph, readers);
    }
    return readers.get(tensor.id) ?? [];
  }
}
