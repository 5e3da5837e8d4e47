/** Times training steps on random tokens: the step alone, with no data, validation or checkpoint. */
import type { ModelConfig, TrainingConfig } from '../../contract/config.ts';
import type { Batch } from '../../data/batches.ts';
import type { Executor, ProfileEntry } from '../../graph/executor.ts';
import { stream, uniformInteger } from '../../graph/random.ts';
import { modelParameters } from '../../model/plans.ts';
import { initialise } from '../../train/state.ts';
import { createStepper, type Stepper } from '../../train/stepper.ts';
import { median } from '../../contract/progress.ts';

/** Steps before the timed ones: compilation, caches, and the executor's first allocations. */
export const warmupSteps = 5;

export interface Timing {
  parameters: number;
  medianMilliseconds: number;
  minMilliseconds: number;
  maxMilliseconds: number;
  tokensPerSecond: number;
  /** Highest number of bytes that the executor reported for its tensors, warm-up included. */
  peakTensorBytes: number;
  /** Highest resident set size of the process after any step. */
  peakRssBytes: number;
  /** By op, the slowest first; absent unless asked for. */
  profile?: ProfileEntry[];
}

export interface BenchmarkOptions {
  model: ModelConfig;
  training: TrainingConfig;
  vocabulary: number;
  steps: number;
  profile: boolean;
  /** Called after each step. */
  onStep: (step: number, of: number) => void;
}

/** Trains for a few warm-up and `steps` timed steps and says how long they took. */
export async function benchmark(executor: Executor, options: BenchmarkOptions): Promise<Timing> {
  const { model, training, vocabulary, steps } = options;
  const parameters = modelParameters(model, vocabulary);
  initialise(executor, parameters, training.seed);
  const stepper = createStepper(executor, model, vocabulary, training);
  const times: number[] = [];
  let peakRssBytes = 0;
  try {
    for (let step = 1; step <= warmupSteps + steps; step++) {
      const batches = Array.from({ length: training.accumulate }, (_, microBatch) =>
        randomBatch(step, microBatch, options),
      );
      const start = performance.now();
      await stepper.step(step, (microBatch) => batches[microBatch]);
      if (step > warmupSteps) times.push(performance.now() - start);
      peakRssBytes = Math.max(peakRssBytes, process.memoryUsage.rss());
      options.onStep(step, warmupSteps + steps);
    }
    const { peak } = executor.memory();
    const tokens = training.batch * training.accumulate * model.context;
    const middle = median(times);
    return {
      parameters: parameters.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0),
      medianMilliseconds: middle,
      minMilliseconds: times.reduce((a, b) => Math.min(a, b)),
      maxMilliseconds: times.reduce((a, b) => Math.max(a, b)),
      tokensPerSecond: (tokens / middle) * 1000,
      peakTensorBytes: peak,
      peakRssBytes,
      ...(options.profile ? { profile: await profileStep(stepper, options) } : {}),
    };
  } finally {
    stepper.dispose();
  }
}

/** Reproducible tokens that no model can predict. */
function randomBatch(
  step: number,
  microBatch: number,
  { model, training, vocabulary }: BenchmarkOptions,
): Batch {
  const size = training.batch * model.context;
  const draw = (site: number): Int32Array<ArrayBuffer> =>
    Int32Array.from({ length: size }, (_, index) =>
      uniformInteger(stream.batches, site, index, step, vocabulary),
    );
  return { tokens: draw(2 * microBatch), targets: draw(2 * microBatch + 1) };
}

/** One step with timing per op. With accumulation: each kind of program once. */
async function profileStep(stepper: Stepper, options: BenchmarkOptions): Promise<ProfileEntry[]> {
  const totals = new Map<string, ProfileEntry>();
  for (const program of stepper.programs) {
    const { inputs, uniforms } = stepper.feed(1, 0, randomBatch(1, 0, options));
    const taken = Object.entries(inputs).filter(([name]) => program.plan.inputs.has(name));
    for (const entry of await program.profile({ inputs: Object.fromEntries(taken), uniforms })) {
      const before = totals.get(entry.op) ?? { op: entry.op, calls: 0, milliseconds: 0 };
      totals.set(entry.op, {
        op: entry.op,
        calls: before.calls + entry.calls,
        milliseconds: before.milliseconds + entry.milliseconds,
      });
    }
  }
  return [...totals.values()].toSorted((a, b) => b.milliseconds - a.milliseconds);
}
