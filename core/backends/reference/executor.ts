/**
 * Runs a plan with the ops' own float64 kernels. It is the oracle of the tests, and a backend that
 * always works; it makes no attempt at speed.
 */
import { SwitchyardError } from '../../contract/errors.ts';
import type {
  Executor,
  ExecutorMemory,
  Feed,
  MemoryLimit,
  Outputs,
  ProfileEntry,
  Program,
} from '../../graph/executor.ts';
import {
  bytesOf,
  sizeOf,
  type Node,
  type ReferenceTensor,
  type Tensor,
} from '../../graph/graph.ts';
import type { Plan } from '../../graph/plan.ts';
import { swapVariables } from '../swapVariables.ts';
import { inputValues, requireVariableValues, uniformValue } from '../values.ts';

const valueBytes = Float64Array.BYTES_PER_ELEMENT;

export class ReferenceExecutor implements Executor {
  readonly info = {
    backend: 'reference',
    device: 'plain TypeScript in float64',
    attentionSave: 'lse',
  } as const;
  readonly variables = new Map<string, ReferenceTensor>();
  private alive = 0;
  private peak = 0;

  bytes(tensor: Tensor): number {
    return bytesOf(tensor);
  }

  plannedBytes(plans: readonly Plan[], variables: readonly (readonly number[])[]): number {
    return (
      variables.reduce((sum, shape) => sum + 4 * sizeOf(shape), 0) +
      Math.max(...plans.map(({ memory }) => memory.buffers))
    );
  }

  scratch(): number {
    return 0;
  }

  /** Keeps count of tensor bytes; negative when they are freed. */
  count(bytes: number): void {
    this.alive += bytes;
    this.peak = Math.max(this.peak, this.alive);
  }

  compile(plan: Plan): Program {
    for (const [name, { shape }] of plan.variables)
      if (!this.variables.has(name)) this.write(name, shape, new Float32Array(sizeOf(shape)));
    return new ReferenceProgram(this, plan);
  }

  write(variable: string, shape: readonly number[], values: Float32Array): void {
    requireVariableValues(variable, shape, values);
    const old = this.variables.get(variable);
    this.count((values.length - (old?.data.length ?? 0)) * valueBytes);
    this.variables.set(variable, { shape, data: Float64Array.from(values) });
  }

  read(variable: string): Promise<Float32Array> {
    return Promise.resolve(Float32Array.from(this.readExact(variable)));
  }

  /** A variable in full precision, for tests. */
  readExact(variable: string): Float64Array {
    const value = this.variables.get(variable);
    if (value === undefined) throw new SwitchyardError('internal', `No variable "${variable}".`);
    return value.data;
  }

  swap(a: string, b: string): void {
    swapVariables(this.variables, a, b);
  }

  memory(): ExecutorMemory {
    return { current: this.alive, peak: this.peak };
  }

  limit(): MemoryLimit {
    // Plans count four bytes a value, and this takes eight.
    return { bytes: process.availableMemory() / 2, holder: 'this machine has free for float64' };
  }

  resetPeak(): void {
    this.peak = this.alive;
  }

  dispose(): void {
    this.variables.clear();
    this.alive = 0;
  }
}

class ReferenceProgram implements Program {
  readonly plan: Plan;
  private readonly executor: ReferenceExecutor;

  constructor(executor: ReferenceExecutor, plan: Plan) {
    this.executor = executor;
    this.plan = plan;
  }

  run(feed: Feed): Promise<Outputs> {
    return Promise.resolve(
      this.execute(feed, (kernel) => {
        kernel();
      }),
    );
  }

  profile(feed: Feed): Promise<readonly ProfileEntry[]> {
    const entries = new Map<string, { op: string; calls: number; milliseconds: number }>();
    this.execute(feed, (kernel, { op: { name } }) => {
      const start = performance.now();
      kernel();
      const entry = entries.get(name) ?? { op: name, calls: 0, milliseconds: 0 };
      entry.calls += 1;
      entry.milliseconds += performance.now() - start;
      entries.set(name, entry);
    });
    return Promise.resolve([...entries.values()]);
  }

  dispose(): void {
    // Temporaries are freed by every run; variables belong to the executor.
  }

  private execute(feed: Feed, around: (kernel: () => void, node: Node) => void): Outputs {
    const { plan, executor } = this;
    const values = new Map<number, ReferenceTensor>();
    for (const [name, tensor] of plan.inputs)
      values.set(tensor.id, {
        shape: tensor.shape,
        data: Float64Array.from(inputValues(feed, name, tensor)),
      });
    for (const [name, tensor] of plan.uniforms)
      values.set(tensor.id, { shape: [], data: Float64Array.of(uniformValue(feed, name)) });
    for (const [name, tensor] of plan.variables) {
      const value = executor.variables.get(name);
      if (value !== undefined) values.set(tensor.id, value);
    }
    const valueOf = (tensor: Tensor): ReferenceTensor => {
      const value = values.get(tensor.id);
      if (value === undefined)
        throw new SwitchyardError('internal', 'A plan read a tensor before it was made.');
      return value;
    };
    for (const { node, release } of plan.steps) {
      const outputs = node.outputs.map(({ shape }) => ({
        shape,
        data: new Float64Array(sizeOf(shape)),
      }));
      for (const { data } of outputs) executor.count(data.byteLength);
      around(() => {
        node.op.reference(node.inputs.map(valueOf), outputs, node.attributes);
      }, node);
      for (const [i, tensor] of node.outputs.entries()) values.set(tensor.id, outputs[i]);
      for (const tensor of release) {
        executor.count(-valueOf(tensor).data.byteLength);
        values.delete(tensor.id);
      }
    }
    const results = Object.fromEntries(
      [...plan.outputs].map(([name, tensor]) => [
        name,
        tensor.dtype === 'i32'
          ? Int32Array.from(valueOf(tensor).data)
          : valueOf(tensor).data.slice(),
      ]),
    );
    for (const { variable, tensor } of plan.updates)
      executor.variables.set(variable, valueOf(tensor));
    // What is left of this run's own tensors was either copied out or became a variable.
    executor.count(
      -plan.steps
        .flatMap(({ node }) => node.outputs)
        .filter(({ id }) => values.has(id))
        .reduce((sum, { shape }) => sum + sizeOf(shape) * valueBytes, 0),
    );
    return results;
  }
}
