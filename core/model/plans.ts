/** The plans that training, evaluation and sampling run, each for one batch size and length. */
import type { ModelConfig, TrainingConfig } from '../contract/config.ts';
import { differentiate } from '../graph/differentiate.ts';
import type { Executor } from '../graph/executor.ts';
import { Graph, type Tensor } from '../graph/graph.ts';
import { adamw } from '../graph/ops/adamw.ts';
import { add } from '../graph/ops/add.ts';
import { crossEntropy } from '../graph/ops/crossEntropy.ts';
import { globalNorm } from '../graph/ops/globalNorm.ts';
import { mean } from '../graph/ops/mean.ts';
import { scale } from '../graph/ops/scale.ts';
import { plan, type Plan, type PlanOptions } from '../graph/plan.ts';
import { ModelBuilder, type BuildOptions } from './builder.ts';
import { languageModel } from './languageModel.ts';
import type { Parameter } from './parameters.ts';

/** What plans need to know of the executor that will run them. */
export type PlanTarget = Pick<Executor, 'info' | 'scratch'>;

export interface ModelShape {
  readonly model: ModelConfig;
  readonly vocabulary: number;
  readonly batch: number;
}

/** Variables that hold AdamW's moments and accumulated gradients of a parameter. */
export const momentNames = (parameter: string) => ({ m: `m/${parameter}`, v: `v/${parameter}` });
const gradientName = (parameter: string) => `gradient/${parameter}`;

/** A model in a fresh graph. */
function buildModel({ model, vocabulary, batch }: ModelShape, options: BuildOptions) {
  const graph = new Graph();
  const builder = new ModelBuilder(graph, options);
  const tokens = graph.input('tokens', [batch, model.context], 'i32');
  const logits = languageModel(builder, tokens, model, vocabulary); // [B, T, V]
  return { graph, builder, logits };
}

/** The parameters of a model, in the order in which the graph first names them. */
export function modelParameters(model: ModelConfig, vocabulary: number): readonly Parameter[] {
  return buildModel({ model, vocabulary, batch: 1 }, { dropout: 0, attentionSave: 'lse' }).builder
    .parameters;
}

/** Loss and gradients of one micro-batch. */
function buildLoss(
  shape: ModelShape,
  training: TrainingConfig,
  target: PlanTarget,
  dropout: number,
) {
  const { graph, builder, logits } = buildModel(
    { ...shape, batch: training.batch },
    {
      dropout,
      attentionSave: target.info.attentionSave,
    },
  );
  const targets = graph.input('targets', [training.batch, shape.model.context], 'i32');
  const loss = mean(crossEntropy(logits, targets));
  const gradients = differentiate(loss, builder.tensors, graph.uniform('lossScale'));
  return { graph, builder, loss, gradients };
}

/** Clipping and AdamW on gradients of the same graph: the norm, and the updates to plan. */
function buildUpdate(
  graph: Graph,
  parameters: readonly { name: string; tensor: Tensor }[],
  gradients: readonly Tensor[],
  training: TrainingConfig,
) {
  const moments = parameters.map(({ name, tensor }) => {
    const { m, v } = momentNames(name);
    return { m: graph.variable(m, tensor.shape), v: graph.variable(v, tensor.shape) };
  });
  const norm = globalNorm(gradients);
  const next = adamw(
    parameters.map(({ tensor }) => tensor),
    gradients,
    moments.map(({ m }) => m),
    moments.map(({ v }) => v),
    norm,
    training,
  );
  const updates = parameters.flatMap(({ name }, i): [string, Tensor][] => {
    const { m, v } = momentNames(name);
    return [
      [name, next.parameters[i]],
      [m, next.m[i]],
      [v, next.v[i]],
    ];
  });
  return { norm, updates };
}

export interface TrainPlans {
  /** One step a run: loss, gradient norm, all updates. Only when there is nothing to accumulate. */
  readonly step?: Plan;
  /** With accumulation: the first micro-batch sets the gradients, the next ones add to them. */
  readonly first?: Plan;
  readonly next?: Plan;
  readonly update?: Plan;
}

/**
 * Plans of one optimiser step. Inputs `tokens` and `targets` [B, T]; outputs `loss` [] (of the
 * micro-batch, unscaled) and `norm` [] (before clipping). With accumulation the gradients are the
 * exact mean over the micro-batches.
 */
export function trainPlans(
  model: ModelConfig,
  vocabulary: number,
  training: TrainingConfig,
  target: PlanTarget,
): TrainPlans {
  const shape = { model, vocabulary, batch: training.batch };
  const planFor = (graph: Graph, options: Omit<PlanOptions, 'scratch'>) =>
    plan(graph, { ...options, scratch: (node) => target.scratch(node) });
  const named = (builder: ModelBuilder) =>
    builder.parameters.map(({ name }, i) => ({ name, tensor: builder.tensors[i] }));

  if (training.accumulate === 1) {
    const { graph, builder, loss, gradients } = buildLoss(shape, training, target, model.dropout);
    const { norm, updates } = buildUpdate(graph, named(builder), gradients, training);
    return { step: planFor(graph, { outputs: { loss, norm }, updates }) };
  }

  const share = 1 / training.accumulate;
  const microBatch = (position: 'first' | 'next') => {
    const { graph, builder, loss, gradients } = buildLoss(shape, training, target, model.dropout);
    const updates = builder.parameters.map(({ name }, i): [string, Tensor] => {
      const sum = graph.variable(gradientName(name), gradients[i].shape);
      return [
        gradientName(name),
        position === 'first' ? scale(gradients[i], share) : add(sum, gradients[i], share),
      ];
    });
    return planFor(graph, { outputs: { loss }, updates });
  };
  const graph = new Graph();
  const parameters = modelParameters(model, vocabulary).map(({ name, shape }) => ({
    name,
    tensor: graph.variable(name, shape),
  }));
  const sums = parameters.map(({ name, tensor }) =>
    graph.variable(gradientName(name), tensor.shape),
  );
  const { norm, updates } = buildUpdate(graph, parameters, sums, training);
  return {
    first: microBatch('first'),
    next: microBatch('next'),
    update: planFor(graph, { outputs: { norm }, updates }),
  };
}

/** Evaluation: `tokens` and `targets` [B, T] → `losses` [B, T] in nats, without dropout. */
export function evaluationPlan(shape: ModelShape, target: PlanTarget): Plan {
  const { graph, logits } = buildModel(shape, { dropout: 0, attentionSave: 'lse' });
  const targets = graph.input('targets', [shape.batch, shape.model.context], 'i32');
  const losses = crossEntropy(logits, targets);
  return plan(graph, { outputs: { losses }, scratch: (node) => target.scratch(node) });
}

/** Logits: `tokens` [B, T] → `logits` [B, T, V], without dropout. */
export function logitsPlan(shape: ModelShape, target: PlanTarget): Plan {
  const { graph, logits } = buildModel(shape, { dropout: 0, attentionSave: 'lse' });
  return plan(graph, { outputs: { logits }, scratch: (node) => target.scratch(node) });
}
