/**
 * Where a run's batches come from. Training and validation see one interface over every kind of data:
 * batches as inputs of the plans, by the plans' own names.
 */
import type { ModelConfig, RunConfig } from '../contract/config.ts';
import { trainingBatch, validationBatches } from '../data/batches.ts';
import { indexExamples, trainingExamples, validationExamples } from '../data/examples.ts';
import { trainingStreams, validationStreams } from '../data/streams.ts';
import type { TokenFile } from '../data/tokenFile.ts';
import type { Feed } from '../graph/executor.ts';
import { memoryTokens, visibleSources, type Purpose } from '../model/memory.ts';

export type Inputs = Feed['inputs'];

export interface ValidationInputs {
  readonly inputs: Inputs;
  /** For each of the B rows, how many of its losses count, from the first. */
  readonly counted: ArrayLike<number>;
}

/**
 * Inputs of a training plan, a pure function of its arguments.
 * @param attempt counted from 1: the step and the batches that were passed by before it
 * @param microBatch from 0
 */
type TrainingInputs = (attempt: number, microBatch: number) => Inputs;
/** One whole validation, in the order in which memory must see it. */
type ValidationBatches = () => Iterable<ValidationInputs>;

export interface BatchSource {
  readonly training: TrainingInputs;
  readonly validation: ValidationBatches;
}

/** Opens the source that a configuration reads: text in random rows or in streams, or examples. */
export function openBatchSource(
  config: RunConfig,
  trainTokens: TokenFile,
  validationTokens: TokenFile,
): BatchSource {
  const { model } = config;
  if (model.task === 'classification')
    return {
      training: randomExamples(config, trainTokens),
      validation: everyExample(config, validationTokens),
    };
  const [train, validate] = [
    memoryTokens(model, 'training') > 0 ? streams : randomRows,
    memoryTokens(model, 'evaluation') > 0 ? everyPrediction : everyRow,
  ];
  return { training: train(config, trainTokens), validation: validate(config, validationTokens) };
}

/** Rows that the training text is cut into for a model with memory; 0 where rows are random. */
export function trainingRows({ model, training }: RunConfig): number {
  const inStreams = model.task === 'language-model' && memoryTokens(model, 'training') > 0;
  return inStreams ? training.batch * training.accumulate : 0;
}

const randomRows = ({ model, training }: RunConfig, file: TokenFile): TrainingInputs => {
  const { context } = model;
  const { batch, seed } = training;
  return (step, microBatch) => ({
    ...trainingBatch(file, { batch, context, step, microBatch, seed }),
  });
};

const streams = ({ model, training }: RunConfig, file: TokenFile): TrainingInputs => {
  const { context } = model;
  const { batch, accumulate } = training;
  return (step, microBatch) => {
    const options = { batch, accumulate, context, step, microBatch };
    const { tokens, targets, chunk } = trainingStreams(file, options);
    return { tokens, targets, visible: visibleAt(chunk, model, batch, 'training') };
  };
};

const randomExamples = ({ model, training }: RunConfig, file: TokenFile): TrainingInputs => {
  const { context } = model;
  const { batch, seed } = training;
  const examples = indexExamples(file);
  return (step, microBatch) => ({
    ...trainingExamples(file, examples, { batch, context, step, microBatch, seed }),
  });
};

const everyRow = (config: RunConfig, file: TokenFile): ValidationBatches =>
  function* () {
    const options = validationOptions(config);
    for (const { rows, tokens, targets } of validationBatches(file, options))
      yield { inputs: { tokens, targets }, counted: firstRows(rows, options.context, options) };
  };

const everyPrediction = (config: RunConfig, file: TokenFile): ValidationBatches =>
  function* () {
    const options = validationOptions(config);
    for (const { tokens, targets, counted, chunk } of validationStreams(file, options)) {
      const visible = visibleAt(chunk, config.model, options.batch, 'evaluation');
      yield { inputs: { tokens, targets, visible }, counted };
    }
  };

const everyExample = (config: RunConfig, file: TokenFile): ValidationBatches => {
  const examples = indexExamples(file);
  return function* () {
    const options = validationOptions(config);
    for (const { rows, ...inputs } of validationExamples(file, examples, options))
      yield { inputs, counted: firstRows(rows, 1, options) };
  };
};

function validationOptions({ model: { context }, training }: RunConfig) {
  return { batch: training.batch, context, limit: training.evaluationBatches };
}

/** A chunk sees as much of the memory as its stream has filled. */
function visibleAt(chunk: number, model: ModelConfig, batch: number, purpose: Purpose) {
  const { context } = model;
  const memory = memoryTokens(model, purpose);
  return visibleSources({ batch, memory, filled: chunk * context, context });
}

/** All losses of the first `rows` rows count, `each` a row, and none of the others. */
function firstRows(rows: number, each: number, { batch }: { batch: number }): readonly number[] {
  return Array.from({ length: batch }, (_, row) => (row < rows ? each : 0));
}
