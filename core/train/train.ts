/**
 * The training loop, one function read from top to bottom. It knows an executor, token files and a
 * folder for checkpoints; it stores nothing else and draws nothing.
 */
import { mkdirSync } from 'node:fs';
import type { RunConfig } from '../contract/config.ts';
import { SwitchyardError } from '../contract/errors.ts';
import type { TokenFile } from '../data/tokenFile.ts';
import type { Executor } from '../graph/executor.ts';
import { sizeOf } from '../graph/graph.ts';
import { evaluationPlan, modelParameters } from '../model/plans.ts';
import { openBatchSource } from './batchSource.ts';
import {
  loadCheckpoint,
  newestCheckpoint,
  pruneCheckpoints,
  removeUnfinished,
  writeCheckpoint,
  type CheckpointTensors,
  type Progress,
} from './checkpoint.ts';
import { evaluate } from './evaluate.ts';
import type { TrainEvent, TrainRequest, TrainResult } from './events.ts';
import {
  afterOverflow,
  afterStep,
  firstLossScale,
  scalesLoss,
  type LossScale,
} from './lossScale.ts';
import { allMemoryTensors, initialise } from './state.ts';
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
  /** Of the first step with dynamic loss scaling; default 65,536. */
  readonly startLossScale?: number;
  readonly emit: (event: TrainEvent) => void;
  /** Asked after every step, and after a batch that gave none. */
  readonly request: () => TrainRequest;
  /** Called when paused; returns what is asked for instead, as soon as it is not a pause any more. */
  readonly waitWhilePaused: () => Exclude<TrainRequest, 'pause'>;
}

/**
 * Trains to the configured step.
 * @throws SwitchyardError 'diverged' when a loss or the gradient norm stops being a finite number (the last
 *   good checkpoint stays; with dynamic loss scaling an infinite norm first lowers the scale),
 *   'disk-full', 'checkpoint-damaged' when no checkpoint can be resumed
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
  const { batch, accumulate, steps } = training;
  mkdirSync(checkpoints, { recursive: true });
  removeUnfinished(checkpoints);

  const parameters = modelParameters(model, vocabulary);
  const source = openBatchSource(config, trainTokens, validationTokens);
  const beside = evaluationPlan({ model, vocabulary, batch }, executor);
  const stepper = createStepper(executor, { model, vocabulary, training, beside });
  const evaluation = executor.compile(beside);
  const tensors = { parameters, memory: allMemoryTensors(model, training) };
  const progress = options.resume
    ? resume(checkpoints, executor, tensors, emit)
    : freshStart(
        executor,
        tensors,
        firstLossScale(training, options.startLossScale),
        training.seed,
      );
  let savedStep = progress.step;
  executor.resetPeak();
  emit({
    type: 'started',
    device: executor.info.device,
    parameters: parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    plannedBytes: stepper.plannedBytes,
    fromStep: progress.step,
  });

  if (training.warmup >= steps)
    emit({
      type: 'log',
      level: 'warning',
      message: `Warm-up (${training.warmup} steps) does not end before the run does (${steps} steps): the learning rate never reaches its peak.`,
    });

  if (training.precision === 'f16' && !scalesLoss(training))
    emit({
      type: 'log',
      level: 'warning',
      message:
        'Half precision without loss scaling: small gradients vanish. training.lossScaling "automatic" or "dynamic" keeps them.',
    });

  const save = async () => {
    const header = { ...progress, config, vocabulary };
    const { folder, bytes } = await writeCheckpoint(checkpoints, executor, tensors, header);
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
    const { scale: lossScale, passedBy } = progress.lossScale;
    const result = await stepper.step({ step, passedBy, lossScale }, (microBatch) =>
      source.training(step + passedBy, microBatch),
    );
    const milliseconds = performance.now() - start;
    progress.elapsedSeconds += milliseconds / 1000;
    if (scalesLoss(training)) {
      const overflowed = !Number.isFinite(result.norm); // then the plan has left all parameters alone
      progress.lossScale = (overflowed ? afterOverflow : afterStep)(progress.lossScale);
      if (overflowed && progress.lossScale.scale >= 1) {
        const message = `The gradient overflowed at step ${step} with a loss scale of ${lossScale}. The batch is passed by, and the scale is now ${progress.lossScale.scale}.`;
        emit({ type: 'log', level: 'warning', message });
        if (request() !== 'stop') continue;
        if (progress.step > savedStep) await save();
        return { reason: 'stopped', step: progress.step };
      }
    }
    requireFinite({ loss: result.loss, 'gradient norm': result.norm }, step, savedStep);

    progress.step = step;
    progress.tokens += batch * accumulate * model.context;
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
      const { loss, accuracy, predictions } = await evaluate(evaluation, source.validation());
      // The update of this very step can be what blew up: its own loss was measured before it.
      requireFinite({ 'validation loss': loss }, step, savedStep);
      progress.validationLoss = loss;
      if (progress.bestValidationLoss === null || loss < progress.bestValidationLoss) {
        progress.bestValidationLoss = loss;
        progress.bestStep = step;
      }
      emit({
        type: 'validation',
        metric: {
          step,
          loss,
          accuracy,
          tokens: predictions,
          milliseconds: performance.now() - begin,
        },
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

function freshStart(
  executor: Executor,
  { parameters }: CheckpointTensors,
  lossScale: LossScale,
  seed: number,
): Progress {
  initialise(executor, parameters, seed);
  return {
    step: 0,
    tokens: 0,
    elapsedSeconds: 0,
    validationLoss: null,
    bestValidationLoss: null,
    bestStep: null,
    lossScale,
  };
}

/** Restores the newest whole checkpoint; damaged newer ones are named in the log. */
function resume(
  checkpoints: string,
  executor: Executor,
  tensors: CheckpointTensors,
  emit: (event: TrainEvent) => void,
): Progress {
  const { found, damaged } = newestCheckpoint(checkpoints);
  for (const { message } of damaged) emit({ type: 'log', level: 'warning', message });
  if (found === undefined)
    throw new SwitchyardError(
      'checkpoint-damaged',
      `There is no usable checkpoint in ${checkpoints} to resume from; start a new run.`,
    );
  loadCheckpoint(checkpoints, found.folder, executor, tensors);
  const { step, tokens, elapsedSeconds, validationLoss, bestValidationLoss, bestStep, lossScale } =
    found.header;
  emit({ type: 'log', level: 'info', message: `Resuming from the checkpoint at step ${step}.` });
  return { step, tokens, elapsedSeconds, validationLoss, bestValidationLoss, bestStep, lossScale };
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
