/**
 * The training step as data: symbolic tensors with static shapes, and nodes that connect them. A
 * graph only describes; plan.ts orders it and assigns memory, and an executor runs the plan.
 */
import { SwitchyardError } from '../contract/errors.ts';

export type DType = 'f32' | 'i32';

export interface TensorType {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** Scalars that change from step to step without a new plan; executors keep them in one small buffer. */
export const uniformTypes = {
  /** Learning rate of this step. */
  learningRate: 'f32',
  /** The optimiser step, counted from 1 (bias correction of Adam). */
  step: 'i32',
  /** Seed of the run, the bits of an unsigned 32-bit number. */
  seed: 'i32',
  /** Number of the dropout draw, one per micro-batch. */
  draw: 'i32',
  /** What the loss is multiplied by before the backward pass; 1 unless the precision needs more. */
  lossScale: 'f32',
} as const satisfies Record<string, DType>;
export type UniformName = keyof typeof uniformTypes;
export type Uniforms = Readonly<Record<UniformName, number>>;

/** Where a tensor's values come from. */
export type Source =
  | { readonly kind: 'input'; readonly name: string }
  | { readonly kind: 'uniform'; readonly name: UniformName }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'node'; readonly node: Node; readonly output: number };

export interface Tensor extends TensorType {
  readonly id: number;
  readonly graph: Graph;
  readonly source: Source;
}

/** One application of an op. `attributes` are the op's constants. */
export interface Node<A = unknown> {
  readonly id: number;
  readonly op: Op<A>;
  readonly attributes: A;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

/** Values of one tensor in the reference: everything is float64, integers included (exact to 2^53). */
export interface ReferenceTensor {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** An op: its shape rule, its gradient as other ops, and the slow, obvious kernel that defines it. */
export interface Op<A = unknown> {
  readonly name: string;
  /** Types of the outputs. Throws `SwitchyardError('internal')` on inputs that do not fit. */
  infer(inputs: readonly TensorType[], attributes: A): TensorType[];
  /**
   * Gradients of the inputs given those of the outputs (absent where nothing depends on one).
   * `needs[i]` tells whether input i's gradient is wanted at all. Ops without it stop gradients.
   */
  backward?(
    node: Node<A>,
    outputGradients: readonly (Tensor | undefined)[],
    needs: readonly boolean[],
  ): (Tensor | undefined)[];
  /** Fills `outputs` (zeroed on entry) from `inputs`. */
  reference(
    inputs: readonly ReferenceTensor[],
    outputs: readonly ReferenceTensor[],
    attributes: A,
  ): void;
  /** For output i, which of the `inputs` (a count) it may overwrite in memory, if any. */
  inPlace?(output: number, attributes: A, inputs: number): number | undefined;
}

export class Graph {
  readonly nodes: Node[] = [];
  readonly variables = new Map<string, Tensor>();
  readonly inputs = new Map<string, Tensor>();
  readonly uniforms = new Map<UniformName, Tensor>();
  private nextId = 0;

  private tensor(type: TensorType, source: Source): Tensor {
    return { id: this.nextId++, graph: this, source, shape: type.shape, dtype: type.dtype };
  }

  /** A value fed anew at every run. */
  input(name: string, shape: readonly number[], dtype: DType): Tensor {
    if (this.inputs.has(name))
      throw new SwitchyardError('internal', `Input "${name}" exists twice.`);
    const tensor = this.tensor({ shape, dtype }, { kind: 'input', name });
    this.inputs.set(name, tensor);
    return tensor;
  }

  /** A value that persists between runs (f32), such as a parameter or an optimiser moment. */
  variable(name: string, shape: readonly number[]): Tensor {
    if (this.variables.has(name))
      throw new SwitchyardError('internal', `Variable "${name}" exists twice.`);
    const tensor = this.tensor({ shape, dtype: 'f32' }, { kind: 'variable', name });
    this.variables.set(name, tensor);
    return tensor;
  }

  /** A scalar of the uniform buffer. */
  uniform(name: UniformName): Tensor {
    let tensor = this.uniforms.get(name);
    if (tensor === undefined) {
      tensor = this.tensor({ shape: [], dtype: uniformTypes[name] }, { kind: 'uniform', name });
      this.uniforms.set(name, tensor);
    }
    return tensor;
  }

  /** Appends a node; op files wrap this in a function of their own name. */
  emit<A>(op: Op<A>, inputs: readonly Tensor[], attributes: A): readonly Tensor[] {
    for (const input of inputs) {
      if (input.graph !== this)
        throw new SwitchyardError('internal', `An input of ${op.name} belongs to another graph.`);
    }
    const outputs: Tensor[] = [];
    const node: Node<A> = { id: this.nodes.length, op, attributes, inputs, outputs };
    for (const [output, type] of op.infer(inputs, attributes).entries()) {
      outputs.push(this.tensor(type, { kind: 'node', node: node, output }));
    }
    this.nodes.push(node);
    return outputs;
  }
}

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** Bytes of a tensor; both data types take four a value. */
export function bytesOf(type: TensorType): number {
  return sizeOf(type.shape) * 4;
}
