/**
 * Runs plans on a GPU by WebGPU. A program is a list of prepared dispatches that every step replays;
 * variables are buffers of their own; the temporaries of all programs of one executor share one set
 * of buffers, since no two programs run at once.
 *
 * Memory is counted in bytes of buffers. Not counted: what driver and library keep beside them.
 */
import { SwitchyardError } from '../../contract/errors.ts';
import type { Precision } from '../../contract/records.ts';
import type {
  Executor,
  ExecutorInfo,
  ExecutorMemory,
  MemoryLimit,
  Program,
} from '../../graph/executor.ts';
import { sizeOf, type Node, type Tensor } from '../../graph/graph.ts';
import type { Plan } from '../../graph/plan.ts';
import { swapVariables } from '../swapVariables.ts';
import { requireVariableValues } from '../values.ts';
import { readingUsage, valuesUsage } from './bufferUsage.ts';
import { bufferBytes, bytesBeside } from './bytesBeside.ts';
import { Fault } from './fault.ts';
import { dispatchesOf, rangeBytes, type Kernels } from './kernel.ts';
import { kernels as allKernels } from './kernels/index.ts';
import {
  factsOf,
  loadWebgpu,
  openDevice,
  type DeviceFacts,
  type LoadedWebgpu,
} from './loadWebgpu.ts';
import { PipelineCache } from './pipelineCache.ts';
import { WebgpuProgram } from './program.ts';
import { mebibytes, scratchBytes } from './setup.ts';
import { SharedBuffers } from './sharedBuffers.ts';
import { StorageTypes } from './storage.ts';

interface Variable {
  readonly shape: readonly number[];
  readonly buffer: GPUBuffer;
}

export class WebgpuExecutor implements Executor {
  readonly info: ExecutorInfo;
  readonly facts: DeviceFacts;
  readonly gpu: GPUDevice;
  readonly fault: Fault;
  readonly storage: StorageTypes;
  readonly kernels: Kernels;
  readonly pipelines: PipelineCache;
  readonly shared: SharedBuffers;
  readonly variables = new Map<string, Variable>();
  /** Changes whenever a buffer that programs have bound is another one. */
  version = 0;
  private readonly programs = new Set<WebgpuProgram>();
  private own = 0;
  private peak = 0;

  /** @param kernels other kernels than the usual ones, for tests and measurements */
  constructor(
    loaded: LoadedWebgpu,
    gpu: GPUDevice,
    precision: Precision,
    kernels: Kernels = allKernels,
    facts: DeviceFacts = factsOf(loaded, gpu, precision),
  ) {
    this.gpu = gpu;
    this.fault = new Fault(gpu);
    this.facts = facts;
    this.storage = new StorageTypes(precision);
    this.kernels = kernels;
    this.pipelines = new PipelineCache(gpu);
    this.shared = new SharedBuffers(this);
    this.info = { backend: 'webgpu', device: loaded.device, attentionSave: 'lse' };
  }

  /** Opens the best GPU of this machine. @throws SwitchyardError('device-unavailable') */
  static async open(precision: Precision = 'f32'): Promise<WebgpuExecutor> {
    const loaded = await loadWebgpu();
    return new WebgpuExecutor(loaded, await openDevice(loaded, precision), precision);
  }

  bytes(tensor: Tensor): number {
    return rangeBytes({ length: sizeOf(tensor.shape), type: this.storage.of(tensor) });
  }

  scratch(node: Node): number {
    return scratchBytes(this, (setup) => dispatchesOf(this.kernels, node, setup));
  }

  compile(plan: Plan): Program {
    for (const [name, { shape }] of plan.variables) {
      const held = this.variables.get(name);
      if (held === undefined) this.write(name, shape, new Float32Array(sizeOf(shape)));
      else if (held.shape.join() !== shape.join())
        throw new SwitchyardError(
          'internal',
          `The plan has variable "${name}" as [${shape.join(', ')}], but it holds [${held.shape.join(', ')}].`,
        );
    }
    const program = new WebgpuProgram(this, plan, () => this.programs.delete(program));
    this.programs.add(program);
    return program;
  }

  write(variable: string, shape: readonly number[], values: Float32Array): void {
    requireVariableValues(variable, shape, values);
    let held = this.variables.get(variable);
    if (held?.shape.join() !== shape.join()) {
      if (held !== undefined) this.release(held.buffer);
      held = {
        shape,
        buffer: this.allocate(4 * values.length, valuesUsage, `variable ${variable}`),
      };
      this.variables.set(variable, held);
      this.version++;
    }
    this.gpu.queue.writeBuffer(held.buffer, 0, values);
  }

  async read(variable: string): Promise<Float32Array> {
    const held = this.variables.get(variable);
    if (held === undefined) throw new SwitchyardError('internal', `No variable "${variable}".`);
    const bytes = 4 * sizeOf(held.shape);
    const staging = this.allocate(bytes, readingUsage, 'reading a variable');
    try {
      const encoder = this.gpu.createCommandEncoder();
      encoder.copyBufferToBuffer(held.buffer, 0, staging, 0, bytes);
      this.gpu.queue.submit([encoder.finish()]);
      await this.fault.guard(staging.mapAsync(1));
      return new Float32Array(staging.getMappedRange(0, bytes).slice(0));
    } finally {
      this.release(staging);
    }
  }

  swap(a: string, b: string): void {
    swapVariables(this.variables, a, b);
    this.version++;
  }

  memory(): ExecutorMemory {
    return { current: this.own, peak: this.peak };
  }

  plannedBytes(plans: readonly Plan[], variables: readonly (readonly number[])[]): number {
    const sizes = variables.map((shape) => bufferBytes(4 * sizeOf(shape)));
    // A checkpoint reads one variable after the other, each through a copy.
    const copy = Math.max(0, ...sizes);
    return sizes.reduce((sum, bytes) => sum + bytes, copy) + bytesBeside(this, plans);
  }

  limit(): MemoryLimit {
    // WebGPU does not say how much memory a card has: what does not fit is found when it is asked for.
    return { bytes: Infinity, holder: 'the GPU has' };
  }

  resetPeak(): void {
    this.peak = this.own;
  }

  dispose(): void {
    for (const program of [...this.programs]) program.dispose();
    this.shared.dispose();
    for (const { buffer } of this.variables.values()) this.release(buffer);
    this.variables.clear();
    this.fault.end();
    this.gpu.destroy();
  }

  /** A buffer, whose bytes count until it is released. Running out of memory is a {@link Fault}. */
  allocate(bytes: number, usage: number, label: string): GPUBuffer {
    const size = bufferBytes(bytes);
    this.requireSize(size, label);
    const what = `making a buffer of ${mebibytes(size)} for ${label}, beside the ${mebibytes(this.own)} that this model takes already`;
    const buffer = this.fault.watch(what, () => this.gpu.createBuffer({ size, usage, label }));
    this.own += size;
    this.peak = Math.max(this.peak, this.own);
    return buffer;
  }

  /** @throws SwitchyardError('out-of-memory') for a buffer that is larger than the GPU can make any */
  requireSize(bytes: number, label: string): void {
    const { maxBufferSize } = this.gpu.limits;
    if (bytes > maxBufferSize)
      throw new SwitchyardError(
        'out-of-memory',
        `A buffer of ${mebibytes(bytes)} for ${label} is larger than this GPU can make (${mebibytes(maxBufferSize)}). A smaller batch or context needs less.`,
      );
  }

  release(buffer: GPUBuffer): void {
    this.own -= buffer.size;
    buffer.destroy();
  }
}
