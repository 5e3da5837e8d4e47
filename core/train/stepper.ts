import type { ModelConfig, TrainingConfig } from '../contract/config.ts';
import { SwitchyardError } from '../contract/errors.ts';
import type { Batch } from '../data/batches.ts';
import type { Executor, Feed, Program } from '../graph/executor.ts';
import type { Plan, PlanMemory } from '../graph/plan.ts';
import { trainPlans } from '../model/plans.ts';
import { requireMemory } from './requireMemory.ts';
import { learningRateAt } from './schedule.ts';

export interface StepResult {
  /** Mean loss over the step's micro-batches, in nats per token. */
  loss: number;
  /** Global gradient norm before clipping. */
  norm: number;
  learningRate: number;
}

/** Runs optimiser steps: one plan a step, or one a micro-batch and one for the update. */
export interface Stepper {
  /** @param batchOf gives the batch of a micro-batch, counted from 0 */
  step(step: number, batchOf: (microBatch: number) => Batch): Promise<StepResult>;
  /** Memory of the plan that needs most. */
  readonly memory: PlanMemory;
  /** The programs that make up a step, for profiling. */
  readonly programs: readonly Program[];
  /** What a program of this step is fed. */
  feed(step: number, microBatch: number, batch: Batch): Feed;
  dispose(): void;
}

/**
 * Compiles the plans of a training step on an executor. Variables must be written separately.
 * @throws SwitchyardError('out-of-memory') when they cannot fit
 */
export function createStepper(
  executor: Executor,
  model: ModelConfig,
  vocabulary: number,
  training: TrainingConfig,
): Stepper {
  const plans = trainPlans(model, vocabulary, training, executor);
  requireMemory(
    executor,
    Object.values(plans).filter((plan) => plan !== undefined),
  );
  const compile = (plan: Plan | undefined) => plan && executor.compile(plan);
  const compiled = {
    step: compile(plans.step),
    first: compile(plans.first),
    next: compile(plans.next),
    update: compile(plans.update),
  };
  const programs = Object.values(compiled).filter((program) => program !== undefined);
  const uniforms = (step: number, microBatch: number) => ({
    learningRate: learningRateAt(step, training),
    step,
    seed: training.seed | 0,
    draw: (step - 1) * training.accumulate + microBatch,
    lossScale: 1,
  });
  const feed = (step: number, microBatch: number, { tokens, targets }: Batch): Feed => ({
    inputs: { tokens, targets },
    uniforms: uniforms(step, microBatch),
  });

  return {
    programs,
    feed,
    memory: programs
      .map(({ plan }) => plan.memory)
      .reduce((most, memory) => (memory.buffers > most.buffers ? memory : most)),
    async step(step, batchOf) {
      const learningRate = learningRateAt(step, training);
      if (compiled.step !== undefined) {
        const { loss, norm } = await compiled.step.run(feed(step, 0, batchOf(0)));
        return { loss: loss[0], norm: norm[0], learningRate };
      }
      const { first, next, update } = compiled;
      if (first === undefined || next === undefined || update === undefined)
        throw new SwitchyardError('internal', 'The plans of an accumulated step are incomplete.');
      let loss = 0;
      for (let microBatch = 0; microBatch < training.accumulate; microBatch++) {
        const program = microBatch === 0 ? first : next;
        const outputs = await program.run(feed(step, microBatch, batchOf(microBatch)));
        loss += outputs.loss[0] / training.accumulate;
      }
      const { norm } = await update.run({ inputs: {}, uniforms: uniforms(step, 0) });
      return { loss, norm: norm[0], learningRate };
    },
    dispose() {
      for (const program of programs) program.dispose();
    },
  };
}
