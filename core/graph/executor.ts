/**
 * What runs a plan. Training, sampling and evaluation know only this interface; jobs and the command
 * line choose an implementation in core/backends and hand it on.
 */
import type { BackendName } from '../contract/records.ts';
import type { Uniforms } from './graph.ts';
import type { AttentionAttributes } from './ops/attention.ts';
import type { Costs, Plan } from './plan.ts';

export interface ExecutorInfo {
  readonly backend: BackendName;
  /** For people: processor or card, library version. */
  readonly device: string;
  /** What attention should keep for its backward pass on this executor. */
  readonly attentionSave: AttentionAttributes['save'];
}

/** Values fed to a run; lengths must equal those of the plan's inputs. */
export interface Feed {
  readonly inputs: Readonly<Record<string, Int32Array | Float32Array>>;
  readonly uniforms: Partial<Uniforms>;
}

/** Output values by name. i32 outputs come as Int32Array; the reference gives Float64Array for f32. */
export type Outputs = Readonly<Record<string, Float32Array | Float64Array | Int32Array>>;

/** Bytes held in tensors. `current` counts what is alive now, `peak` the most since `resetPeak`. */
export interface ExecutorMemory {
  readonly current: number;
  readonly peak: number;
}

/** What a device has for tensors: a number of bytes, and what sets it, as in "this machine has". */
export interface MemoryLimit {
  readonly bytes: number;
  readonly holder: string;
}

/** Time spent in one op, summed over a profiled run. */
export interface ProfileEntry {
  readonly op: string;
  readonly calls: number;
  readonly milliseconds: number;
}

/** A compiled plan. */
export interface Program {
  readonly plan: Plan;
  /** Runs the plan once: reads inputs and variables, applies updates, returns outputs. */
  run(feed: Feed): Promise<Outputs>;
  /** Runs once with timing per op; slower than `run`. */
  profile(feed: Feed): Promise<readonly ProfileEntry[]>;
  dispose(): void;
}

/**
 * An executor owns one set of variables, shared by all plans compiled on it. One per run. `plan` takes
 * its {@link Costs}.
 */
export interface Executor extends Costs {
  readonly info: ExecutorInfo;
  /** Prepares a plan. Variables it touches that have no value yet start at zero. */
  compile(plan: Plan): Program;
  /** Sets a variable. `values.length` must be the product of `shape`. */
  write(variable: string, shape: readonly number[], values: Float32Array): void;
  /** A copy of a variable's values. */
  read(variable: string): Promise<Float32Array>;
  /** Exchanges the values of two variables, which must exist and have one shape; copies nothing. */
  swap(a: string, b: string): void;
  memory(): ExecutorMemory;
  /**
   * Bytes of tensors that programs of these plans will need, all compiled and one running at a time.
   * @param variables shapes of all variables, those that no plan touches as well
   */
  plannedBytes(plans: readonly Plan[], variables: readonly (readonly number[])[]): number;
  /** What plans may take at present; infinite where the device does not say. */
  limit(): MemoryLimit;
  resetPeak(): void;
  dispose(): void;
}
