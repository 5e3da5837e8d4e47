/** A plan with its kernels prepared: one run is a walk over its steps. */
import { SwitchyardError } from '../../contract/errors.ts';
import type { Feed, Outputs, ProfileEntry, Program } from '../../graph/executor.ts';
import { uniformTypes, type Node, type Tensor } from '../../graph/graph.ts';
import type { Plan } from '../../graph/plan.ts';
import { inputValues, uniformValue } from '../values.ts';
import type { TfjsExecutor } from './executor.ts';
import { kernelOf, type Run, type Setup, type Tf, type TfTensor } from './kernel.ts';

interface PreparedStep {
  readonly node: Node;
  readonly run: Run;
  readonly release: readonly Tensor[];
}

export class TfjsProgram implements Program {
  readonly plan: Plan;
  private readonly executor: TfjsExecutor;
  private readonly onDispose: () => void;
  private readonly constants = new Map<string, TfTensor>();
  private readonly steps: readonly PreparedStep[];
  /** The feed and the engine's bytes at the start of the run in progress. */
  private feed: Feed | undefined;
  private bytesBefore = 0;

  constructor(executor: TfjsExecutor, plan: Plan, onDispose: () => void) {
    this.executor = executor;
    this.plan = plan;
    this.onDispose = onDispose;
    const read = new Set([
      ...plan.steps.flatMap(({ node }) => node.inputs.map(({ id }) => id)),
      ...[...plan.outputs.values(), ...plan.updates.map(({ tensor }) => tensor)].map(
        ({ id }) => id,
      ),
    ]);
    this.steps = plan.steps.map(({ node, release }) => ({
      node,
      run: kernelOf(executor.kernels, node).prepare(node as never, this.setup(node, read)),
      release,
    }));
  }

  run(feed: Feed): Promise<Outputs> {
    return this.attempt(() => this.execute(feed));
  }

  profile(feed: Feed): Promise<readonly ProfileEntry[]> {
    const { tf, loaded } = this.executor;
    const entries = new Map<string, { op: string; calls: number; milliseconds: number }>();
    return this.attempt(() => {
      this.execute(feed, (kernel, { op: { name } }) => {
        const start = performance.now();
        const outputs = kernel();
        // A GPU runs behind: reading one value waits for it.
        if (loaded.gpu && outputs[0] !== undefined) readOne(tf, outputs[0]);
        const entry = entries.get(name) ?? { op: name, calls: 0, milliseconds: 0 };
        entry.calls += 1;
        entry.milliseconds += performance.now() - start;
        entries.set(name, entry);
        return outputs;
      });
      return [...entries.values()];
    });
  }

  dispose(): void {
    for (const tensor of this.constants.values()) {
      this.executor.hold(-4 * tensor.size);
      tensor.dispose();
    }
    this.constants.clear();
    this.onDispose();
  }

  /** Runs now; an error becomes a rejection. */
  private attempt<T>(action: () => T): Promise<T> {
    try {
      return Promise.resolve(action());
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(String(error));
      const { backend } = this.executor.loaded;
      if (backend !== 'wasm' || !wasmExhausted.test(cause.message)) return Promise.reject(cause);
      return Promise.reject(
        new SwitchyardError(
          'out-of-memory',
          'The memory of WebAssembly, 4 GiB at most, was not enough for this step. A smaller batch or context needs less, or use another backend.',
          { cause },
        ),
      );
    }
  }

  private setup(node: Node, read: ReadonlySet<number>): Setup {
    const { executor } = this;
    const { tf, loaded } = executor;
    return {
      tf,
      backend: loaded.backend,
      cheapReads: !loaded.gpu,
      needed: node.outputs.map(({ id }) => read.has(id)),
      constant: (key, make) => {
        let tensor = this.constants.get(key);
        if (tensor === undefined) {
          tensor = tf.keep(tf.tidy(make));
          this.constants.set(key, tensor);
          executor.hold(4 * tensor.size);
          this.bytesBefore += 4 * tensor.size;
        }
        return tensor;
      },
      free: (...temporaries) => {
        this.sample();
        for (const tensor of temporaries) tensor.dispose();
      },
      scalar: (input, value) => {
        const { source } = node.inputs[input];
        return source.kind === 'uniform'
          ? uniformValue(this.feed, source.name)
          : value.dataSync()[0];
      },
    };
  }

  private sample(): void {
    this.executor.sample(this.executor.tf.memory().numBytes - this.bytesBefore);
  }

  private execute(
    feed: Feed,
    around: (kernel: () => (TfTensor | undefined)[], node: Node) => (TfTensor | undefined)[] = (
      kernel,
    ) => kernel(),
  ): Outputs {
    const { plan, executor } = this;
    const { tf, variables } = executor;
    executor.activate();
    this.feed = feed;
    this.bytesBefore = tf.memory().numBytes;
    const values = new Map<number, TfTensor>();
    /** Tensors of this run that are still to be freed. */
    const temporary = new Map<number, TfTensor>();
    const make = (id: number, tensor: TfTensor) => {
      values.set(id, tensor);
      temporary.set(id, tensor);
    };
    const valueOf = ({ id }: Tensor): TfTensor => {
      const value = values.get(id);
      if (value === undefined)
        throw new SwitchyardError('internal', 'A plan read a tensor before it was made.');
      return value;
    };
    try {
      for (const [name, tensor] of plan.inputs) {
        const type = tensor.dtype === 'i32' ? 'int32' : 'float32';
        make(tensor.id, tf.tensor(inputValues(feed, name, tensor), [...tensor.shape], type));
      }
      for (const [name, tensor] of plan.uniforms) {
        const value = uniformValue(feed, name);
        const scalar =
          uniformTypes[name] === 'i32' ? tf.scalar(value | 0, 'int32') : tf.scalar(value);
        make(tensor.id, scalar);
      }
      for (const [name, tensor] of plan.variables) {
        const value = variables.get(name);
        if (value !== undefined) values.set(tensor.id, value);
      }
      for (const { node, run, release } of this.steps) {
        const outputs = around(
          () =>
            tf.tidy(() => {
              const made = run(node.inputs.map(valueOf));
              this.sample();
              // tidy's type does not know of absent outputs; it passes over them.
              return [...made] as TfTensor[];
            }),
          node,
        );
        for (const [i, { id }] of node.outputs.entries()) {
          const output = outputs[i];
          if (output !== undefined) make(id, output);
        }
        for (const { id } of release) {
          temporary.get(id)?.dispose();
          temporary.delete(id);
          values.delete(id);
        }
      }
      const results = Object.fromEntries(
        [...plan.outputs].map(([name, tensor]) => [
          name,
          // A copy: some backends hand out the array that they keep.
          valueOf(tensor).dataSync().slice() as Float32Array | Int32Array,
        ]),
      );
      const updated = plan.updates.map(({ variable, tensor }) => ({
        variable,
        value: tf.clone(valueOf(tensor)),
      }));
      for (const { variable, value } of updated) {
        variables.get(variable)?.dispose();
        variables.set(variable, value);
      }
      return results;
    } finally {
      for (const tensor of temporary.values()) tensor.dispose();
      this.feed = undefined;
    }
  }
}

/** Reads one value of a tensor. */
function readOne(tf: Tf, tensor: TfTensor): void {
  tf.tidy(() => tf.slice(tf.reshape(tensor, [tensor.size]), [0], [1]).dataSync());
}

/** How WebAssembly says that its memory is at an end. */
const wasmExhausted = /out of bounds|Cannot enlarge memory|Out of memory/iu;
