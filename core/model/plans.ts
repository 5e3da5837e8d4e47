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
import { plan, type Costs, type Plan, type PlanOptions } from '../graph/plan.ts';
import { ModelBuilder, type BuildOptions } from './builder.ts';
import { memoryVariables, type Purpose } from './memory.ts';
import type { Parameter } from './parameters.ts';
import { transformer } from './transformer.ts';

export { memoryTokens, memoryVariables, type Purpose } from './memory.ts';

/** What plans need to know of the executor that will run them. */
export type PlanTarget = Pick<Executor, 'info' | keyof Costs>;

export interface ModelShape {
  readonly model: ModelConfig;
  readonly vocabulary: number;
  readonly batch: number;
}

/** Variables that hold AdamW's moments and accumulated gradients of a parameter. */
export const momentNames = (parameter: string) => ({ m: `m/${parameter}`, v: `v/${parameter}` });
const gradientName = (parameter: string) => `gradient/${parameter}`;

interface BuildRequest extends ModelShape {
  /** Whose memory it reads and writes. */
  readonly purpose: Purpose;
  readonly options: BuildOptions;
}

/** A model in a fresh graph, with the inputs that it needs. */
function buildModel({ model, vocabulary, batch, purpose, options }: BuildRequest) {
  const graph = new Graph();
  const builder = new ModelBuilder(graph, options);
  const variables = memoryVariables(model, batch, purpose);
  const isClassifier = model.task === 'classification';
  const { logits, memories } = transformer(
    builder,
    {
      tokens: graph.input('tokens', [batch, model.context], 'i32'),
      ...(isClassifier || variables.length > 0
        ? { visible: graph.input('visible', [batch, 2], 'i32') }
        : {}),
      ...(isClassifier ? { last: graph.input('last', [batch], 'i32') } : {}),
      memories: variables.map(({ name, shape }) => graph.variable(name, shape)),
    },
    model,
    vocabulary,
  );
  const advance = variables.map(({ name }, i): [string, Tensor] => [name, memories[i]]);
  return { graph, builder, logits, advance };
}

/** `targets` [B, T], or [B] in classification. */
function targetsOf(graph: Graph, { model, batch }: ModelShape): Tensor {
  const shape = model.task === 'classification' ? [batch] : [batch, model.context];
  return graph.input('targets', shape, 'i32');
}

/** The parameters of a model, in the order in which the graph first names them. */
export function modelParameters(model: ModelConfig, vocabulary: number): readonly Parameter[] {
  const options: BuildOptions = { training: false, attentionSave: 'lse' };
  return buildModel({ model, vocabulary, batch: 1, purpose: 'training', options }).builder
    .parameters;
}

/** Loss and gradients of one micro-batch. The regularisers are in the gradients, not in the loss. */
function buildLoss(shape: ModelShape, target: PlanTarget) {
  const { attentionSave } = target.info;
  const options: BuildOptions = { training: true, attentionSave };
  const { graph, builder, logits, advance } = buildModel({
    ...shape,
    purpose: 'training',
    options,
  });
  const loss = mean(crossEntropy(logits, targetsOf(graph, shape)));
  const objective = builder.regularisers.reduce((sum, regulariser) => add(sum, regulariser), loss);
  const gradients = differentiate(objective, builder.tensors, graph.uniform('lossScale'));
  return { graph, builder, loss, gradients, advance };
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
 * Plans of one optimiser step. Inputs `tokens` and `targets` [B, T], with memory `visible` [B, 2];
 * in classification `tokens`, `visible`, `last` [B] and `targets` [B]. Outputs `loss` [] (cross-entropy
 * of the micro-batch, unscaled) and `norm` [] (before clipping). With accumulation the gradients are
 * the exact mean over the micro-batches. Whatever sees tokens moves the memory on.
 */
export function trainPlans(
  model: ModelConfig,
  vocabulary: number,
  training: TrainingConfig,
  target: PlanTarget,
): TrainPlans {
  const shape = { model, vocabulary, batch: training.batch };
  const planFor = (graph: Graph, options: Omit<PlanOptions, 'costs'>) =>
    plan(graph, { ...options, costs: target });
  const named = (builder: ModelBuilder) =>
    builder.parameters.map(({ name }, i) => ({ name, tensor: builder.tensors[i] }));

  if (training.accumulate === 1) {
    const { graph, builder, loss, gradients, advance } = buildLoss(shape, target);
    const { norm, updates } = buildUpdate(graph, named(builder), gradients, training);
    return { step: planFor(graph, { outputs: { loss, norm }, updates: [...updates, ...advance] }) };
  }

  const share = 1 / training.accumulate;
  const microBatch = (position: 'first' | 'next') => {
    const { graph, builder, loss, gradients, advance } = buildLoss(shape, target);
    const updates = builder.parameters.map(({ name }, i): [string, Tensor] => {
      const sum = graph.variable(gradientName(name), gradients[i].shape);
      return [
        gradientName(name),
        position === 'first' ? scale(gradients[i], share) : add(sum, gradients[i], share),
      ];
    });
    return planFor(graph, { outputs: { loss }, updates: [...updates, ...advance] });
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

/** A model without dropout, reading the memory of evaluation. */
function buildEvaluation(shape: ModelShape) {
  const options: BuildOptions = { training: false, attentionSave: 'lse' };
  return buildModel({ ...shape, purpose: 'evaluation', options });
}

/**
 * Evaluation, without dropout; moves its memory on. Inputs as in training → `losses` [B, T] in nats, in
 * classification `losses` [B] and `logits` [B, classes].
 */
export function evaluationPlan(shape: ModelShape, target: PlanTarget): Plan {
  const { graph, logits, advance } = buildEvaluation(shape);
  const losses = crossEntropy(logits, targetsOf(graph, shape));
  return plan(graph, {
    outputs: shape.model.task === 'classification' ? { losses, logits } : { losses },
    updates: advance,
    costs: target,
  });
}

/**
 * Logits, without dropout: `tokens` [B, T] (with memory also `visible`) → `logits` [B, T, V].
 * @param advances whether the memory takes in this chunk; else it is only read
 */
export function logitsPlan(shape: ModelShape, target: PlanTarget, advances: boolean): Plan {
  const { graph, logits, advance } = buildEvaluation(shape);
  return plan(graph, {
    outputs: { logits },
    updates: advances ? advance : [],
    costs: target,
  });
}
