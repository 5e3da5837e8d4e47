/**
 * Runs plans by TensorFlow.js, on any of its three backends for Node. Variables are tensors that an
 * update replaces; everything else lives from the step that makes it to the plan's release of it.
 *
 * Memory is counted in bytes of tensors. A run never yields to other code, so what the library's
 * own count grows by during a run is this executor's, even with several executors in one thread.
 * Not counted: what the library itself keeps beyond tensors, and arrays that a loop of host/ uses.
 */
import { SwitchyardError } from '../../contract/errors.ts';
import type {
  Executor,
  ExecutorInfo,
  ExecutorMemory,
  MemoryLimit,
  Program,
} from '../../graph/executor.ts';
import { bytesOf, sizeOf, type Node, type Tensor } from '../../graph/graph.ts';
import type { Plan } from '../../graph/plan.ts';
import { kernelOf, type Kernels, type Tf, type TfTensor } from './kernel.ts';
import { kernelsFor } from './kernels/index.ts';
import { loadTf, type LoadedTf } from './loadTf.ts';
import { TfjsProgram } from './program.ts';
import { swapVariables } from '../swapVariables.ts';
import { requireVariableValues } from '../values.ts';

/** WebAssembly's pointers have 32 bits. */
const wasmBytes = 2 ** 32;

export class TfjsExecutor implements Executor {
  readonly info: ExecutorInfo;
  readonly loaded: LoadedTf;
  readonly kernels: Kernels;
  readonly variables = new Map<string, TfTensor>();
  private readonly programs = new Set<TfjsProgram>();
  private own = 0;
  private peak = 0;

  /** @param kernels other kernels than the backend's usual ones, for tests and measurements */
  constructor(loaded: LoadedTf, kernels: Kernels = kernelsFor(loaded)) {
    this.loaded = loaded;
    this.kernels = kernels;
    this.info = {
      backend: loaded.backend,
      device: loaded.device,
      attentionSave: 'probabilities',
    };
  }

  /** Opens a backend. @throws SwitchyardError('device-unavailable') */
  static async open(backend: LoadedTf['backend']): Promise<TfjsExecutor> {
    return new TfjsExecutor(await loadTf(backend));
  }

  get tf(): Tf {
    return this.loaded.tf;
  }

  bytes(tensor: Tensor): number {
    return bytesOf(tensor);
  }

  plannedBytes(plans: readonly Plan[], variables: readonly (readonly number[])[]): number {
    return (
      variables.reduce((sum, shape) => sum + 4 * sizeOf(shape), 0) +
      Math.max(...plans.map(({ memory }) => memory.buffers))
    );
  }

  scratch(node: Node): number {
    return kernelOf(this.kernels, node).scratch?.(node as never, this.loaded.backend) ?? 0;
  }

  compile(plan: Plan): Program {
    for (const [name, { shape }] of plan.variables)
      if (!this.variables.has(name)) this.write(name, shape, new Float32Array(sizeOf(shape)));
    this.activate();
    const program = new TfjsProgram(this, plan, () => this.programs.delete(program));
    this.programs.add(program);
    return program;
  }

  write(variable: string, shape: readonly number[], values: Float32Array): void {
    requireVariableValues(variable, shape, values);
    this.activate();
    const old = this.variables.get(variable);
    if (old !== undefined) this.hold(-4 * old.size);
    old?.dispose();
    // A copy: some backends keep the array they are given.
    this.variables.set(variable, this.tf.tensor(values.slice(), [...shape], 'float32'));
    this.hold(4 * values.length);
  }

  read(variable: string): Promise<Float32Array> {
    const value = this.variables.get(variable);
    if (value === undefined)
      return Promise.reject(new SwitchyardError('internal', `No variable "${variable}".`));
    this.activate();
    return Promise.resolve((value.dataSync() as Float32Array).slice());
  }

  swap(a: string, b: string): void {
    swapVariables(this.variables, a, b);
  }

  memory(): ExecutorMemory {
    return { current: this.own, peak: this.peak };
  }

  limit(): MemoryLimit {
    const free = process.availableMemory();
    const { backend, gpu } = this.loaded;
    if (gpu) return { bytes: Infinity, holder: 'the GPU has' };
    if (backend === 'wasm' && wasmBytes < free)
      return { bytes: wasmBytes, holder: 'WebAssembly can address' };
    return { bytes: free, holder: 'this machine has free' };
  }

  resetPeak(): void {
    this.peak = this.own;
  }

  dispose(): void {
    this.activate();
    for (const program of [...this.programs]) program.dispose();
    for (const tensor of this.variables.values()) tensor.dispose();
    this.variables.clear();
    this.own = 0;
  }

  /** Makes this executor's backend the engine's; another executor of the thread may use another. */
  activate(): void {
    const { tf, backend } = this.loaded;
    // The switch itself happens before the promise is handed out: the backend is already started.
    if (tf.getBackend() !== backend) void tf.setBackend(backend);
  }

  /** Counts bytes that stay between runs; negative when they are freed. */
  hold(bytes: number): void {
    this.own += bytes;
    this.peak = Math.max(this.peak, this.own);
  }

  /** Reports that `bytes` more than what stays between runs are alive. */
  sample(bytes: number): void {
    this.peak = Math.max(this.peak, this.own + bytes);
  }
}
