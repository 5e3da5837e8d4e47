/**
 * A plan as one list of dispatches. Making it compiles all shaders; a run writes the inputs, replays the
 * list and reads the outputs back.
 */
import { SwitchyardError } from '../../contract/errors.ts';
import type { Feed, Outputs, ProfileEntry, Program } from '../../graph/executor.ts';
import { sizeOf, type Tensor } from '../../graph/graph.ts';
import type { Plan } from '../../graph/plan.ts';
import { readingUsage, valuesUsage } from './bufferUsage.ts';
import type { WebgpuExecutor } from './executor.ts';
import { readFeed, uniformNames, writeFeed } from './feed.ts';
import {
  dispatchesOf,
  elementBytes,
  rangeAlignment,
  rangeBytes,
  type Dispatch,
  type ElementType,
  type Operand,
  type Ranges,
  type Setup,
} from './kernel.ts';
import { convert } from './kernels/convert.ts';
import type { Pipeline } from './pipelineCache.ts';
import { profileDispatches } from './profile.ts';
import {
  derivedPlace,
  derivedRanges,
  RangeAllocator,
  requireBindable,
  tensorOperand,
} from './setup.ts';
import { bindingsOf } from './shader.ts';

/** A dispatch with what it needs to be recorded. */
export interface Prepared {
  readonly op: string;
  readonly kernel: string;
  readonly workgroups: Dispatch['workgroups'];
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
}

interface Planned {
  readonly op: string;
  readonly kernel: string;
  readonly workgroups: Dispatch['workgroups'];
  readonly operands: readonly Operand[];
  readonly pipeline: Pipeline;
  /** The bind groups made so far: variables that are swapped take turns. The newest last. */
  readonly groups: { readonly buffers: readonly GPUBuffer[]; readonly group: GPUBindGroup }[];
}

/** Bind groups kept for a dispatch; more variables than this that take turns are bound anew. */
const keptGroups = 32;

/** Time that one submission should take, so that others who share the GPU get their turn. */
const submissionMilliseconds = 8;

export class WebgpuProgram implements Program {
  readonly plan: Plan;
  private readonly executor: WebgpuExecutor;
  private readonly onDispose: () => void;
  /** The dispatches of the steps, then those that convert new values of variables to f32. */
  private readonly planned: readonly Planned[];
  private readonly steps: number;
  private readonly pipelines: Promise<readonly GPUComputePipeline[]>;
  /** Ranks among the shared buffers. */
  private readonly ranks: readonly number[];
  /** Buffers of this program alone, by place. */
  private readonly own = new Map<string, GPUBuffer>();
  private readonly staging: GPUBuffer;
  /** Where each output lies in the staging buffer. */
  private readonly results: readonly {
    name: string;
    tensor: Tensor;
    source: Operand;
    at: number;
  }[];
  private prepared: readonly Prepared[] = [];
  private preparedVersion = -1;
  /** Of the last run, in milliseconds. */
  private lastRun = Infinity;
  private state: 'idle' | 'running' | 'disposed' = 'idle';

  constructor(executor: WebgpuExecutor, plan: Plan, onDispose: () => void) {
    this.executor = executor;
    this.plan = plan;
    this.onDispose = onDispose;
    try {
      for (const [name, tensor] of plan.inputs)
        this.allocate(`input ${name}`, 4 * sizeOf(tensor.shape));
      this.allocate('uniforms', rangeAlignment * uniformNames.length);
      const steps = this.planSteps();
      this.steps = steps.length;
      this.planned = [...steps, ...this.planConversions()];
      const outputs = new RangeAllocator('staging');
      this.results = [...plan.outputs].map(([name, tensor]) => {
        const source = this.operand(tensor);
        return { name, tensor, source, at: outputs.take(source.type, source.length).offset };
      });
      this.ranks = executor.shared.fit(plan.buffers);
      this.staging = executor.allocate(outputs.bytes, readingUsage, 'outputs');
    } catch (error) {
      this.releaseOwn(); // nobody will dispose of a program that was never made
      throw error;
    }
    this.pipelines = Promise.all(this.planned.map(({ pipeline }) => pipeline.pipeline));
    this.pipelines.catch(() => undefined); // whoever runs it hears of it
  }

  run(feed: Feed): Promise<Outputs> {
    return this.alone(async () => {
      await this.prepare();
      writeFeed(this, feed);
      const start = performance.now();
      const perSubmission = Math.ceil((this.steps * submissionMilliseconds) / this.lastRun);
      const chunk = Math.min(Math.max(perSubmission, 16), 256);
      for (let first = 0; first < this.steps; first += chunk)
        this.submit(this.prepared.slice(first, Math.min(first + chunk, this.steps)));
      const outputs = await this.finish();
      this.lastRun = performance.now() - start;
      return outputs;
    });
  }

  profile(feed: Feed): Promise<readonly ProfileEntry[]> {
    return this.alone(async () => {
      await this.prepare();
      writeFeed(this, feed);
      const entries = await profileDispatches(this.executor, this.prepared.slice(0, this.steps));
      await this.finish();
      return entries;
    });
  }

  dispose(): void {
    if (this.state === 'disposed') return;
    this.state = 'disposed';
    this.releaseOwn();
    this.executor.release(this.staging);
    this.onDispose();
  }

  /** Does something that needs the program for itself. */
  private async alone<T>(action: () => Promise<T>): Promise<T> {
    if (this.state !== 'idle')
      throw new SwitchyardError(
        'internal',
        this.state === 'running'
          ? 'A program was started while it was running; await the first run.'
          : 'A program was started after it was disposed of; compile the plan again.',
      );
    this.state = 'running';
    try {
      return await action();
    } finally {
      // Whoever disposes of a running program has the last word.
      if (this.isRunning()) this.state = 'idle';
    }
  }

  private isRunning(): boolean {
    return this.state === 'running';
  }

  private releaseOwn(): void {
    for (const buffer of this.own.values()) this.executor.release(buffer);
    this.own.clear();
  }

  typeOf(tensor: Tensor): ElementType {
    return this.executor.storage.of(tensor);
  }

  /** Writes an input or the uniforms. */
  write(place: string, offset: number, values: Int32Array | Float32Array | Uint16Array): void {
    const buffer = this.bufferAt(place);
    this.executor.gpu.queue.writeBuffer(buffer, offset, values);
  }

  private submit(dispatches: readonly Prepared[]): void {
    const { queue } = this.executor.gpu;
    const encoder = this.executor.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const { workgroups, pipeline, group } of dispatches) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(...workgroups);
    }
    pass.end();
    queue.submit([encoder.finish()]);
  }

  /** Reads the outputs and then writes the new values of variables that were not written in place. */
  private async finish(): Promise<Outputs> {
    const { gpu, fault } = this.executor;
    const encoder = gpu.createCommandEncoder();
    for (const { source, at } of this.results)
      encoder.copyBufferToBuffer(
        this.bufferAt(source.place),
        source.offset,
        this.staging,
        at,
        // Whole words; buffers are padded to that.
        Math.ceil((source.length * elementBytes[source.type]) / 4) * 4,
      );
    for (const { variable, tensor, copy } of this.plan.updates) {
      const from = this.operand(tensor);
      if (!copy || from.type === 'f16') continue; // f16 is converted by a dispatch
      const to = this.bufferAt(`variable ${variable}`);
      encoder.copyBufferToBuffer(this.bufferAt(from.place), from.offset, to, 0, 4 * from.length);
    }
    gpu.queue.submit([encoder.finish()]);
    const conversions = this.prepared.slice(this.steps);
    if (conversions.length > 0) this.submit(conversions);
    await fault.guard(this.staging.mapAsync(1));
    const outputs = this.results.map(({ name, tensor, source, at }) => {
      const mapped = this.staging.getMappedRange(at, rangeBytes(source));
      return [name, readFeed(mapped, tensor, source)] as const;
    });
    this.staging.unmap();
    return Object.fromEntries(outputs);
  }

  /** Waits for the shaders, and binds buffers where any of them has changed since the last run. */
  private async prepare(): Promise<void> {
    const { executor } = this;
    const pipelines = await executor.fault.guard(this.pipelines);
    if (this.preparedVersion === executor.version) return;
    const buffers = new Map<string, GPUBuffer>();
    for (const { operands } of this.planned)
      for (const { place } of operands)
        if (!buffers.has(place)) buffers.set(place, this.bufferAt(place));
    this.prepared = executor.fault.watch('binding the buffers of a plan', () =>
      this.planned.map((planned, i) => ({
        ...planned,
        pipeline: pipelines[i],
        group: this.groupOf(
          planned,
          planned.operands.map(({ place }) => buffers.get(place) ?? this.bufferAt(place)),
        ),
      })),
    );
    this.preparedVersion = executor.version;
  }

  private groupOf(
    { kernel, operands, pipeline: { layout }, groups }: Planned,
    buffers: readonly GPUBuffer[],
  ): GPUBindGroup {
    const known = groups.find((other) => buffers.every((buffer, i) => other.buffers[i] === buffer));
    if (known !== undefined) return known.group;
    const entries = operands.map((operand, binding) => ({
      binding,
      resource: { buffer: buffers[binding], offset: operand.offset, size: rangeBytes(operand) },
    }));
    const group = this.executor.gpu.createBindGroup({ label: kernel, layout, entries });
    if (groups.length === keptGroups) groups.shift();
    groups.push({ buffers, group });
    return group;
  }

  /** All dispatches of the plan's steps; gives what they derive its buffers. */
  private planSteps(): Planned[] {
    const { executor, plan } = this;
    const planned: Planned[] = [];
    const derived = new Map<string, Ranges<string>>();
    for (const { node, scratch } of plan.steps) {
      const op = node.op.name;
      const push = (dispatch: Dispatch) => {
        for (const operand of Object.values({ ...dispatch.reads, ...dispatch.writes }))
          requireBindable(operand, executor.facts, op);
        planned.push(this.planDispatch(op, dispatch));
      };
      const allocator = new RangeAllocator(`shared ${scratch ?? ''}`);
      const setup: Setup = {
        facts: executor.facts,
        operand: (tensor) => this.operand(tensor),
        scratch: (type, length) => allocator.take(type, length),
        derived: (tensor, key, ranges, make) => {
          const place = derivedPlace(tensor, key);
          const known = derived.get(place);
          if (known !== undefined) return known;
          const made = derivedRanges(place, ranges);
          derived.set(place, made.ranges);
          this.allocate(place, made.bytes);
          for (const dispatch of make(made.ranges)) push(dispatch);
          return made.ranges;
        },
      };
      for (const dispatch of dispatchesOf(executor.kernels, node, setup)) push(dispatch);
    }
    return planned;
  }

  /**
   * New values of variables that are stored in f16.
   * @throws SwitchyardError('internal') for a variable that takes the value of one that changes as well:
   *   updates are applied one after the other
   */
  private planConversions(): Planned[] {
    const { updates } = this.plan;
    const changing = new Set(updates.map(({ variable }) => `variable ${variable}`));
    return updates.flatMap(({ variable, tensor, copy }) => {
      const from = this.operand(tensor);
      if (copy && changing.has(from.place))
        throw new SwitchyardError(
          'internal',
          `Variable "${variable}" cannot take the value of ${from.place}, which the plan changes too.`,
        );
      if (!copy || from.type !== 'f16') return [];
      const to: Operand = { ...from, place: `variable ${variable}`, offset: 0, type: 'f32' };
      return [this.planDispatch('update', convert(from, to))];
    });
  }

  private planDispatch(op: string, dispatch: Dispatch): Planned {
    return {
      op,
      kernel: dispatch.kernel,
      workgroups: dispatch.workgroups,
      operands: bindingsOf(dispatch).map(({ operand }) => operand),
      pipeline: this.executor.pipelines.get(dispatch),
      groups: [],
    };
  }

  private operand(tensor: Tensor): Operand {
    const place = this.plan.storage.get(tensor.id);
    if (place === undefined)
      throw new SwitchyardError('internal', 'A plan has no place for a tensor.');
    const { executor } = this;
    switch (place.kind) {
      case 'buffer':
        return tensorOperand(tensor, `shared ${place.buffer}`, 0, executor);
      case 'uniform':
        return tensorOperand(
          tensor,
          'uniforms',
          uniformNames.indexOf(place.name) * rangeAlignment,
          executor,
        );
      case 'variable':
      case 'input':
        return tensorOperand(tensor, `${place.kind} ${place.name}`, 0, executor);
    }
  }

  private allocate(place: string, bytes: number): void {
    this.own.set(place, this.executor.allocate(bytes, valuesUsage, place));
  }

  private bufferAt(place: string): GPUBuffer {
    const own = this.own.get(place);
    if (own !== undefined) return own;
    const shared = /^shared (\d+)$/u.exec(place);
    if (shared !== null) return this.executor.shared.get(this.ranks[Number(shared[1])]);
    const variable = this.executor.variables.get(place.replace('variable ', ''));
    if (variable === undefined)
      throw new SwitchyardError('internal', `A program has no buffer for "${place}".`);
    return variable.buffer;
  }
}
