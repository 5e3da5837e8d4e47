/** Times training steps on random tokens: the step alone, with no data, validation or checkpoint. */
import type { ModelConfig, TrainingConfig } from '../../contract/config.ts';
import type { Executor, ProfileEntry } from '../../graph/executor.ts';
import { stream, uniformInteger } from '../../graph/random.ts';
import { memoryTokens, visibleSources } from '../../model/memory.ts';
import { modelParameters } from '../../model/plans.ts';
import { computeResources } from '../../model/resources.ts';
import { classes } from '../../model/transformer.ts';
import type { Inputs } from '../../train/batchSource.ts';
import { initialise } from '../../train/state.ts';
import { createStepper, type Attempt, type Stepper } from '../../train/stepper.ts';
import { median } from '../../contract/progress.ts';

/** Steps before the timed ones: compilation, caches, and the executor's first allocations. */
export const warmupSteps = 5;

export interface Timing {
  parameters: number;
  medianMilliseconds: number;
  minMilliseconds: number;
  maxMilliseconds: number;
  tokensPerSecond: number;
  /** Of forward and backward, as 2 × 3 × the forward multiply-accumulates that `resources` prints. */
  flopsPerSecond: number;
  /** Bytes of tensors that the plans were to need. */
  plannedBytes: number;
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
  const stepper = createStepper(executor, { model, vocabulary, training });
  const times: number[] = [];
  let peakRssBytes = 0;
  try {
    for (let step = 1; step <= warmupSteps + steps; step++) {
      const batches = Array.from({ length: training.accumulate }, (_, microBatch) =>
        randomInputs(step, microBatch, options),
      );
      const start = performance.now();
      await stepper.step(attempt(step), (microBatch) => batches[microBatch]);
      if (step > warmupSteps) times.push(performance.now() - start);
      peakRssBytes = Math.max(peakRssBytes, process.memoryUsage.rss());
      options.onStep(step, warmupSteps + steps);
    }
    const { peak } = executor.memory();
    const sequences = training.batch * training.accumulate;
    const tokens = sequences * model.context;
    const { macs } = computeResources(model, vocabulary).model.total;
    const middle = median(times);
    return {
      parameters: parameters.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0),
      medianMilliseconds: middle,
      minMilliseconds: times.reduce((a, b) => Math.min(a, b)),
      maxMilliseconds: times.reduce((a, b) => Math.max(a, b)),
      tokensPerSecond: (tokens / middle) * 1000,
      flopsPerSecond: (2 * 3 * macs * sequences * 1000) / middle,
      plannedBytes: stepper.plannedBytes,
      peakTensorBytes: peak,
      peakRssBytes,
      ...(options.profile ? { profile: await profileStep(stepper, options) } : {}),
    };
  } finally {
    stepper.dispose();
  }
}

/** No batch is passed by: how long a step takes does not depend on the loss scale. */
const attempt = (step: number): Attempt => ({ step, passedBy: 0, lossScale: 1 });

/**
 * Reproducible tokens and targets that no model can predict; full rows, which see all of the memory
 * where there is one.
 */
function randomInputs(
  step: number,
  microBatch: number,
  { model, training: { batch }, vocabulary }: BenchmarkOptions,
): Inputs {
  const { context } = model;
  const draw = (length: number, limit: number, site: number): Int32Array<ArrayBuffer> =>
    Int32Array.from({ length }, (_, index) =>
      uniformInteger(stream.batches, site, index, step, limit),
    );
  const tokens = draw(batch * context, vocabulary, 2 * microBatch);
  const memory = memoryTokens(model, 'training');
  const visible = visibleSources({ batch, memory, filled: memory, context });
  if (model.task === 'language-model')
    return { tokens, targets: draw(batch * context, vocabulary, 2 * microBatch + 1), visible };
  const last = Int32Array.from({ length: batch }, (_, row) => (row + 1) * context - 1);
  return { tokens, targets: draw(batch, classes, 2 * microBatch + 1), visible, last };
}

/** One step with timing per op. With accumulation: each kind of program once. */
async function profileStep(stepper: Stepper, options: BenchmarkOptions): Promise<ProfileEntry[]> {
  const totals = new Map<string, ProfileEntry>();
  for (const program of stepper.programs) {
    const { inputs, uniforms } = stepper.feed(attempt(1), 0, randomInputs(1, 0, options));
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
