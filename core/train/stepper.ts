import type { ModelConfig, TrainingConfig } from '../contract/config.ts';
import { SwitchyardError } from '../contract/errors.ts';
import type { Executor, Feed, Program } from '../graph/executor.ts';
import { sizeOf } from '../graph/graph.ts';
import type { Plan } from '../graph/plan.ts';
import { trainPlans } from '../model/plans.ts';
import type { Inputs } from './batchSource.ts';
import { plannedBytes, requireMemory } from './requireMemory.ts';
import { learningRateAt } from './schedule.ts';
import { memoryTensors } from './state.ts';

/** One try at an optimiser step. */
export interface Attempt {
  /** The step, counted from 1. */
  readonly step: number;
  /** Batches of the run before this one that gave no step. */
  readonly passedBy: number;
  /** What the loss is multiplied by before the backward pass. */
  readonly lossScale: number;
}

export interface StepResult {
  /** Mean loss over the step's micro-batches, in nats per prediction. */
  loss: number;
  /** Global gradient norm before clipping; where it is not finite, the plan has changed no parameter. */
  norm: number;
  learningRate: number;
}

/** Runs optimiser steps: one plan a step, or one a micro-batch and one for the update. */
export interface Stepper {
  /** @param inputsOf gives the inputs of a micro-batch, counted from 0 */
  step(attempt: Attempt, inputsOf: (microBatch: number) => Inputs): Promise<StepResult>;
  /** Bytes of tensors that the plans need, `beside` included. */
  readonly plannedBytes: number;
  /** The programs that make up a step, for profiling. */
  readonly programs: readonly Program[];
  /** What a program of this step is fed. */
  feed(attempt: Attempt, microBatch: number, inputs: Inputs): Feed;
  dispose(): void;
}

export interface StepperOptions {
  model: ModelConfig;
  vocabulary: number;
  training: TrainingConfig;
  /** A plan that will run between the steps, on the same variables. */
  beside?: Plan;
}

/**
 * Compiles the plans of a training step on an executor. Memory starts at zero; the other variables
 * must be written separately.
 * @throws SwitchyardError('out-of-memory') when they cannot fit
 */
export function createStepper(
  executor: Executor,
  { model, vocabulary, training, beside }: StepperOptions,
): Stepper {
  const plans = trainPlans(model, vocabulary, training, executor);
  const all = [plans.step, plans.first, plans.next, plans.update, beside].filter(
    (plan) => plan !== undefined,
  );
  const memories = Array.from({ length: training.accumulate }, (_, microBatch) =>
    memoryTensors(model, training, microBatch),
  );
  const needed = plannedBytes(executor, all, memories.flat());
  requireMemory(executor, needed);
  for (const { name, shape } of memories.flat())
    executor.write(name, shape, new Float32Array(sizeOf(shape)));
  const compile = (plan: Plan | undefined) => plan && executor.compile(plan);
  const compiled = {
    step: compile(plans.step),
    first: compile(plans.first),
    next: compile(plans.next),
    update: compile(plans.update),
  };
  const programs = Object.values(compiled).filter((program) => program !== undefined);
  const uniforms = ({ step, passedBy, lossScale }: Attempt, microBatch: number) => ({
    learningRate: learningRateAt(step, training),
    step,
    seed: training.seed | 0,
    draw: (step + passedBy - 1) * training.accumulate + microBatch,
    lossScale,
  });
  const feed = (attempt: Attempt, microBatch: number, inputs: Inputs): Feed => ({
    inputs,
    uniforms: uniforms(attempt, microBatch),
  });
  /** Exchanges the memory that the plans see with that of a micro-batch. */
  const swapMemory = (microBatch: number): void => {
    if (microBatch === 0) return; // the plans see its own
    for (const [layer, { name }] of memories[microBatch].entries())
      executor.swap(memories[0][layer].name, name);
  };

  return {
    programs,
    feed,
    plannedBytes: needed,
    async step(attempt, inputsOf) {
      const learningRate = learningRateAt(attempt.step, training);
      if (compiled.step !== undefined) {
        const { loss, norm } = await compiled.step.run(feed(attempt, 0, inputsOf(0)));
        return { loss: loss[0], norm: norm[0], learningRate };
      }
      const { first, next, update } = compiled;
      if (first === undefined || next === undefined || update === undefined)
        throw new SwitchyardError('internal', 'The plans of an accumulated step are incomplete.');
      let loss = 0;
      for (let microBatch = 0; microBatch < training.accumulate; microBatch++) {
        const program = microBatch === 0 ? first : next;
        swapMemory(microBatch);
        const outputs = await program.run(feed(attempt, microBatch, inputsOf(microBatch)));
        swapMemory(microBatch);
        loss += outputs.loss[0] / training.accumulate;
      }
      const { norm } = await update.run({ inputs: {}, uniforms: uniforms(attempt, 0) });
      return { loss, norm: norm[0], learningRate };
    },
    dispose() {
      for (const program of programs) program.dispose();
    },
  };
}
