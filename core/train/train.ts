/**
 * The training loop, one function read from top to bottom. It knows an executor, token files and a
 * folder for checkpoints; it stores nothing else and draws nothing.
 */
import { mkdirSync } from 'node:fs';
import type { RunConfig } from '../contract/config.ts';
import { SwitchyardError } from '../contract/errors.ts';
import { trainingBatch } from '../data/batches.ts';
import type { TokenFile } from '../data/tokenFile.ts';
import type { Executor } from '../graph/executor.ts';
import { sizeOf } from '../graph/graph.ts';
import { evaluationPlan, modelParameters } from '../model/plans.ts';
import {
  loadCheckpoint,
  newestCheckpoint,
  pruneCheckpoints,
  removeUnfinished,
  writeCheckpoint,
  type Progress,
} from './checkpoint.ts';
import { evaluate } from './evaluate.ts';
import type { TrainEvent, TrainRequest, TrainResult } from './events.ts';
import { initialise } from './state.ts';
import { createStepper } from './stepper.ts';

export interface TrainOptions {
  readonly config: RunConfig;
  readonly vocabulary: number;
  readonly trainTokens: TokenFile;
  readonly validationTokens: TokenFile;
  readonly executor: Executor;
  /** Folder for checkpoints, created if missing. */
  readonly checkpoints: string;
  /** Continue from the newest whole checkpoint in that folder instead of starting anew. */
  readonly resume: boolean;
  readonly emit: (event: TrainEvent) => void;
  /** Asked after every step. */
  readonly request: () => TrainRequest;
  /** Called when paused; returns what is asked for instead, as soon as it is not a pause any more. */
  readonly waitWhilePaused: () => Exclude<TrainRequest, 'pause'>;
}

/**
 * Trains to the configured step.
 * @throws SwitchyardError 'diverged' when a loss or the gradient norm stops being a finite number (the last
 *   good checkpoint stays), 'disk-full', 'checkpoint-damaged' when no checkpoint can be resumed
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const {
    config,
    vocabulary,
    trainTokens,
    validationTokens,
    executor,
    checkpoints,
    emit,
    request,
    waitWhilePaused,
  } = options;
  const { model, training } = config;
  const { batch, accumulate, seed, steps } = training;
  mkdirSync(checkpoints, { recursive: true });
  removeUnfinished(checkpoints);

  const parameters = modelParameters(model, vocabulary);
  const stepper = createStepper(executor, model, vocabulary, training);
  const evaluation = executor.compile(evaluationPlan({ model, vocabulary, batch }, executor));
  const progress = options.resume
    ? resume(checkpoints, executor, parameters, emit)
    : freshStart(executor, parameters, seed);
  let savedStep = progress.step;
  executor.resetPeak();
  emit({
    type: 'started',
    device: executor.info.device,
    parameters: parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    plannedBytes: stepper.memory.variables + stepper.memory.buffers,
    fromStep: progress.step,
  });

  if (training.warmup >= steps)
    emit({
      type: 'log',
      level: 'warning',
      message: `Warm-up (${training.warmup} steps) does not end before the run does (${steps} steps): the learning rate never reaches its peak.`,
    });

  const save = async () => {
    const header = { ...progress, config, vocabulary };
    const { folder, bytes } = await writeCheckpoint(checkpoints, executor, parameters, header);
    savedStep = progress.step;
    const removed = pruneCheckpoints(checkpoints, training.keepCheckpoints, progress.bestStep);
    const { step, validationLoss, bestStep } = progress;
    emit({
      type: 'checkpoint',
      step,
      folder,
      bytes,
      validationLoss,
      best: bestStep === step,
      removed,
    });
  };

  while (progress.step < steps) {
    const step = progress.step + 1;
    const start = performance.now();
    const result = await stepper.step(step, (microBatch) =>
      trainingBatch(trainTokens, { batch, context: model.context, step, microBatch, seed }),
    );
    requireFinite({ loss: result.loss, 'gradient norm': result.norm }, step, savedStep);
    const milliseconds = performance.now() - start;

    progress.step = step;
    progress.tokens += batch * accumulate * model.context;
    progress.elapsedSeconds += milliseconds / 1000;
    progress.validationLoss = null;
    emit({
      type: 'step',
      metric: {
        step,
        loss: result.loss,
        gradientNorm: result.norm,
        learningRate: result.learningRate,
        milliseconds,
        tokens: progress.tokens,
        tensorBytes: executor.memory().peak,
        rssBytes: process.memoryUsage.rss(),
        elapsedSeconds: progress.elapsedSeconds,
      },
    });

    if (step % training.evaluateEvery === 0 || step === steps) {
      const begin = performance.now();
      const limit = training.evaluationBatches;
      const { loss, tokens } = await evaluate(evaluation, validationTokens, {
        batch,
        context: model.context,
        limit,
      });
      // The update of this very step can be what blew up: its own loss was measured before it.
      requireFinite({ 'validation loss': loss }, step, savedStep);
      progress.validationLoss = loss;
      if (progress.bestValidationLoss === null || loss < progress.bestValidationLoss) {
        progress.bestValidationLoss = loss;
        progress.bestStep = step;
      }
      emit({
        type: 'validation',
        metric: { step, loss, tokens, milliseconds: performance.now() - begin },
      });
    }

    let asked = step < steps ? request() : 'go-on';
    const due =
      step % training.checkpointEvery === 0 || step === steps || progress.bestStep === step;
    if (due || asked !== 'go-on') await save();
    if (asked === 'pause') {
      emit({ type: 'paused', step });
      asked = waitWhilePaused();
      if (asked === 'go-on') emit({ type: 'resumed', step });
    }
    if (asked === 'stop') return { reason: 'stopped', step };
  }
  stepper.dispose();
  evaluation.dispose();
  return { reason: 'finished', step: progress.step };
}

type Parameters = ReturnType<typeof modelParameters>;

function freshStart(executor: Executor, parameters: Parameters, seed: number): Progress {
  initialise(executor, parameters, seed);
  return {
    step: 0,
    tokens: 0,
    elapsedSeconds: 0,
    validationLoss: null,
    bestValidationLoss: null,
    bestStep: null,
  };
}

/** Restores the newest whole checkpoint; damaged newer ones are named in the log. */
function resume(
  checkpoints: string,
  executor: Executor,
  parameters: Parameters,
  emit: (event: TrainEvent) => void,
): Progress {
  const { found, damaged } = newestCheckpoint(checkpoints);
  for (const { message } of damaged) emit({ type: 'log', level: 'warning', message });
  if (found === undefined)
    throw new SwitchyardError(
      'checkpoint-damaged',
      `There is no usable checkpoint in ${checkpoints} to resume from; start a new run.`,
    );
  loadCheckpoint(checkpoints, found.folder, executor, parameters);
  const { step, tokens, elapsedSeconds, validationLoss, bestValidationLoss, bestStep } =
    found.header;
  emit({ type: 'log', level: 'info', message: `Resuming from the checkpoint at step ${step}.` });
  return { step, tokens, elapsedSeconds, validationLoss, bestValidationLoss, bestStep };
}

function requireFinite(
  values: Readonly<Record<string, number>>,
  step: number,
  savedStep: number,
): void {
  const wrong = Object.entries(values).find(([, value]) => !Number.isFinite(value));
  if (wrong === undefined) return;
  const [what, value] = wrong;
  const kept =
    savedStep > 0 ? `The checkpoint at step ${savedStep} is kept.` : 'There was no checkpoint yet.';
  throw new SwitchyardError(
    'diverged',
    `Training diverged: the ${what} became ${value} at step ${step}. ${kept} A lower learning rate or a smaller gradient clip usually helps.`,
  );
}
