/** Training runs of tiny models for tests, on a sequence of tokens that is written to a file. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { ReferenceExecutor } from '../../backends/reference/executor.ts';
import type { PartialConfig } from '../../contract/config.ts';
import type { StepMetric, ValidationMetric } from '../../contract/records.ts';
import { resolveConfig } from '../../contract/resolveConfig.ts';
import { encodeTokens, openTokenFile } from '../../data/tokenFile.ts';
import type { Executor } from '../../graph/executor.ts';
import type { TrainEvent } from '../events.ts';
import { train } from '../train.ts';

export interface Trained {
  steps: StepMetric[];
  validations: ValidationMetric[];
  events: TrainEvent[];
  result: Awaited<ReturnType<typeof train>>;
}

export interface RunOptions {
  model?: PartialConfig['model'];
  training?: PartialConfig['training'];
  resume?: boolean;
  startLossScale?: number;
  /** The last step; 0 ends it at the first overflow before any. */
  stopAt?: number;
  pauseAt?: number;
  whilePaused?: () => 'go-on' | 'stop';
  onEvent?: (event: TrainEvent) => void;
}

export interface Trainer {
  /** Removed after the tests of the file; every run's checkpoints are in a folder in it. */
  folder: string;
  /** Trains and validates on the tokens. @param checkpoints name of the run's folder */
  run: (checkpoints: string, options?: RunOptions) => Promise<Trained>;
}

/**
 * @param base what every run's configuration begins with
 * @param open an executor for each run
 */
export function createTrainer(
  tokens: readonly number[],
  vocabulary: number,
  base: PartialConfig,
  open: () => Executor | Promise<Executor> = () => new ReferenceExecutor(),
): Trainer {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-train-'));
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const path = join(folder, 'tokens');
  writeFileSync(path, encodeTokens(tokens, 'u8'));

  const run: Trainer['run'] = async (checkpoints, options = {}) => {
    const config = resolveConfig({
      model: { ...base.model, ...options.model },
      training: { ...base.training, ...options.training },
    });
    const executor = await open();
    const file = openTokenFile(path, 'u8', tokens.length);
    const events: TrainEvent[] = [];
    const steps: StepMetric[] = [];
    const validations: ValidationMetric[] = [];
    try {
      const result = await train({
        config,
        vocabulary,
        trainTokens: file,
        validationTokens: file,
        executor,
        checkpoints: join(folder, checkpoints),
        resume: options.resume ?? false,
        ...(options.startLossScale && { startLossScale: options.startLossScale }),
        emit(event) {
          events.push(event);
          options.onEvent?.(event);
          if (event.type === 'step') steps.push(event.metric);
          if (event.type === 'validation') validations.push(event.metric);
        },
        request: () => {
          const step = steps.at(-1)?.step ?? 0;
          if (step === options.stopAt) return 'stop';
          return step === options.pauseAt ? 'pause' : 'go-on';
        },
        waitWhilePaused: options.whilePaused ?? (() => 'go-on'),
      });
      return { steps, validations, events, result };
    } finally {
      file.close();
      executor.dispose();
    }
  };
  return { folder, run };
}

/** What of runs must be equal where they train the same: all but times and memory. */
export function curve({ steps, validations }: Pick<Trained, 'steps' | 'validations'>) {
  return {
    losses: steps.map(({ step, loss, gradientNorm, learningRate, tokens }) => ({
      step,
      loss,
      gradientNorm,
      learningRate,
      tokens,
    })),
    validations: validations.map(({ step, loss, accuracy }) => ({ step, loss, accuracy })),
  };
}
