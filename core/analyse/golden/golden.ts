/**
 * Checks an executor against golden numbers: modules and tiny language models of the paper authors'
 * reference code, evaluated in float64 (tensor names `<case>.<kind>.<name>`, sizes in a json beside).
 * Cases are recognised by their tensors, so any file pair of that layout works.
 */
import { readFileSync } from 'node:fs';
import { resolveConfig } from '../../contract/resolveConfig.ts';
import type { ModelConfig, PartialConfig, TrainingConfig } from '../../contract/config.ts';
import { SwitchyardError } from '../../contract/errors.ts';
import { GoldenCase, type Sizes } from './case.ts';
import { compare, compareScalars, judge, tolerance, type Deviation } from './deviation.ts';
import { withFileErrors } from '../../data/fileErrors.ts';
import { openSafetensors, type SafetensorsFile } from '../../data/safetensors.ts';
import { differentiate } from '../../graph/differentiate.ts';
import type { Executor, Feed } from '../../graph/executor.ts';
import { Graph } from '../../graph/graph.ts';
import { crossEntropy } from '../../graph/ops/crossEntropy.ts';
import { mean } from '../../graph/ops/mean.ts';
import { plan } from '../../graph/plan.ts';
import { attentionFamilies } from '../../model/attention.ts';
import { fromAuthors, toAuthors, type AuthorsName } from '../../model/authorsNames.ts';
import { ModelBuilder } from '../../model/builder.ts';
import { feedForwardFamilies } from '../../model/feedForward.ts';
import { languageModel } from '../../model/languageModel.ts';
import { trainPlans } from '../../model/plans.ts';

export interface GoldenResult {
  name: string;
  result: 'passed' | 'failed' | 'unsupported';
  /** For people: the worst tensor, or why the case cannot run yet. */
  detail: string;
}

/**
 * Runs every case of a file pair, in the json's order.
 * @param open gives a fresh executor for every case; it is disposed of here
 * @throws SwitchyardError('invalid-data') on files that cannot be read; a case with a missing tensor
 *   fails with its name instead
 */
export async function* checkGolden(
  tensorsPath: string,
  jsonPath: string,
  open: () => Promise<Executor>,
): AsyncGenerator<GoldenResult> {
  const cases = readCases(jsonPath);
  const file = openSafetensors(tensorsPath, 'invalid-data');
  try {
    for (const [name, sizes] of Object.entries(cases))
      yield await checkCase(name, sizes, file, open);
  } finally {
    file.close();
  }
}

function readCases(path: string): Record<string, Sizes> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(withFileErrors('read', path, () => readFileSync(path, 'utf8')));
  } catch (error) {
    if (error instanceof SwitchyardError) throw error;
    throw new SwitchyardError(
      'invalid-data',
      `${path} cannot be read as JSON: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new SwitchyardError(
      'invalid-data',
      `${path} must hold an object with one entry per case.`,
    );
  return parsed as Record<string, Sizes>;
}

async function checkCase(
  name: string,
  sizes: Sizes,
  file: SafetensorsFile,
  open: () => Promise<Executor>,
): Promise<GoldenResult> {
  const golden = new GoldenCase(name, sizes, file);
  const missing = golden.unsupported();
  if (missing !== undefined) return { name, result: 'unsupported', detail: missing };
  try {
    const executor = await open();
    try {
      const deviations = golden.isLanguageModel
        ? await checkLanguageModel(golden, executor)
        : await checkLayer(golden, executor);
      return { name, ...judge(deviations) };
    } finally {
      executor.dispose();
    }
  } catch (error) {
    if (!(error instanceof SwitchyardError) || error.code === 'internal') throw error;
    return { name, result: 'failed', detail: error.message };
  }
}

/** Configuration fields of a case; what a layer does not have keeps a valid default. */
function modelConfig(
  golden: GoldenCase,
  moeFeedForward: boolean,
  switchHead: boolean,
): ModelConfig {
  const attention = golden.isLanguageModel || switchHead;
  const model: PartialConfig['model'] = {
    width: golden.size('d_model'),
    context: golden.size('T'),
    layers: golden.isLanguageModel ? golden.size('n_layers') : 1,
    attention: switchHead ? 'switchhead' : 'dense',
    ...(attention ? { heads: golden.size('n_heads'), headWidth: golden.size('d_head') } : {}),
    ...(switchHead ? { experts: golden.size('n_experts'), activeExperts: golden.size('k') } : {}),
    feedForward: moeFeedForward ? 'sigma-moe' : 'dense',
    ...(golden.isLanguageModel && !moeFeedForward ? { feedForwardWidth: golden.size('d_ff') } : {}),
    ...(moeFeedForward ? moeSizes(golden) : {}),
  };
  return resolveConfig({ model }).model;
}

function moeSizes(golden: GoldenCase) {
  const [experts, width, k] = golden.isLanguageModel
    ? (['ff_experts', 'ff_expert_size', 'ff_k'] as const)
    : (['n_experts', 'expert_size', 'k'] as const);
  return {
    feedForwardExperts: golden.size(experts),
    feedForwardExpertWidth: golden.size(width),
    feedForwardActiveExperts: golden.size(k),
  };
}

/** Gives every parameter of a builder the case's values, and returns where each came from. */
function loadAuthors(golden: GoldenCase, builder: ModelBuilder, executor: Executor): AuthorsName[] {
  return builder.parameters.map(({ name, shape }) => {
    const source = toAuthors(name, golden.names('param'));
    executor.write(name, shape, fromAuthors(source, shape, golden.floats(`param.${source.name}`)));
    return source;
  });
}

/** A single layer: output, gradients of all weights and of the input. */
async function checkLayer(golden: GoldenCase, executor: Executor): Promise<Deviation[]> {
  const attention = golden.isSwitchHead;
  const config = modelConfig(golden, !attention, attention);
  const shape = [golden.size('B'), config.context, config.width];
  const graph = new Graph();
  const builder = new ModelBuilder(graph, {
    dropout: 0,
    attentionSave: executor.info.attentionSave,
  });
  const x = graph.input('x', shape, 'f32');
  const layer = attention
    ? attentionFamilies[config.attention]
    : feedForwardFamilies[config.feedForward];
  const y = layer(builder, 'layer', x, config);
  const cotangent = graph.input('cotangent', shape, 'f32');
  const gradients = differentiate(y, [x, ...builder.tensors], cotangent);
  const outputs = Object.fromEntries([
    ['output', y] as const,
    ...gradients.map((gradient, i) => [`gradient.${i}`, gradient] as const),
  ]);
  const program = executor.compile(
    plan(graph, { outputs, scratch: (node) => executor.scratch(node) }),
  );
  const sources = loadAuthors(golden, builder, executor);
  const feed: Feed = {
    inputs: { x: golden.floats('input.0'), cotangent: golden.floats('output_cotangent') },
    uniforms: {},
  };
  const results = await program.run(feed);
  program.dispose();
  return [
    compare('output', results.output, golden.floats('output')),
    compare('input_grad.0', results['gradient.0'], golden.floats('input_grad.0')),
    ...compareGradients(golden, 'grad', builder, sources, (i) => results[`gradient.${i + 1}`]),
  ];
}

/** Compares gradients after bringing the authors' into our layout. Rows of a shared tensor count once each. */
function compareGradients(
  golden: GoldenCase,
  kind: string,
  builder: ModelBuilder,
  sources: readonly AuthorsName[],
  gradient: (index: number) => ArrayLike<number>,
): Deviation[] {
  return builder.parameters.map(({ shape }, i) => {
    const expected = fromAuthors(sources[i], shape, golden.floats(`${kind}.${sources[i].name}`));
    return compare(`${kind}.${sources[i].name}`, gradient(i), expected);
  });
}

/** A language model: logits and losses of two chunks, gradients of the second, ten training steps. */
async function checkLanguageModel(golden: GoldenCase, executor: Executor): Promise<Deviation[]> {
  const config = modelConfig(golden, golden.isSigmaMoe, golden.isSwitchHead);
  const batch = golden.size('B');
  const vocabulary = golden.size('vocab');
  const graph = new Graph();
  const builder = new ModelBuilder(graph, {
    dropout: 0,
    attentionSave: executor.info.attentionSave,
  });
  const tokens = graph.input('tokens', [batch, config.context], 'i32');
  const targets = graph.input('targets', [batch, config.context], 'i32');
  const logits = languageModel(builder, tokens, config, vocabulary); // [B, T, V]
  const loss = mean(crossEntropy(logits, targets));
  const gradients = differentiate(loss, builder.tensors, graph.uniform('lossScale'));
  const named = gradients.map((gradient, i) => [`gradient.${i}`, gradient] as const);
  const outputs = { logits, loss, ...Object.fromEntries(named) };
  const program = executor.compile(
    plan(graph, { outputs, scratch: (node) => executor.scratch(node) }),
  );
  const sources = loadAuthors(golden, builder, executor);

  const all = golden.integers('tokens'); // [12·T + 1, B]
  const chunk = (index: number) => readChunk(all, index, config.context, batch);
  const feed = (index: number): Feed => ({ inputs: chunk(index), uniforms: { lossScale: 1 } });
  const first = await program.run(feed(0));
  const second = await program.run(feed(1));
  program.dispose();
  const timeFirst = (values: ArrayLike<number>) =>
    swapLeading(values, batch, config.context, vocabulary); // [T, B, V]
  return [
    compare('logits_chunk0', timeFirst(first.logits), golden.floats('logits_chunk0')),
    compare('logits_chunk1', timeFirst(second.logits), golden.floats('logits_chunk1')),
    compareScalars(
      'loss',
      [first.loss[0], second.loss[0]],
      golden.floats('loss'),
      tolerance.loss,
      false,
    ),
    ...compareGradients(golden, 'grad_chunk1', builder, sources, (i) => second[`gradient.${i}`]),
    ...(await trainTenSteps(golden, executor, config, vocabulary, batch, chunk)),
  ];
}

/** Chunk c holds rows c·T … c·T + T; targets are shifted by one: [T, B] → two of [B, T]. */
function readChunk(all: Int32Array, index: number, length: number, batch: number) {
  const row = (offset: number) =>
    Int32Array.from(
      { length: batch * length },
      (_, i) => all[(index * length + (i % length) + offset) * batch + Math.floor(i / length)],
    );
  return { tokens: row(0), targets: row(1) };
}

/** [B, T, V] → [T, B, V]. */
function swapLeading(
  values: ArrayLike<number>,
  batch: number,
  length: number,
  width: number,
): Float64Array {
  const swapped = new Float64Array(values.length);
  for (let b = 0; b < batch; b++)
    for (let t = 0; t < length; t++)
      for (let v = 0; v < width; v++)
        swapped[(t * batch + b) * width + v] = values[(b * length + t) * width + v];
  return swapped;
}

async function trainTenSteps(
  golden: GoldenCase,
  executor: Executor,
  model: ModelConfig,
  vocabulary: number,
  batch: number,
  chunk: (index: number) => { tokens: Int32Array; targets: Int32Array },
): Promise<Deviation[]> {
  const optimizer = parseOptimizer(golden);
  const { step } = trainPlans(model, vocabulary, { ...optimizer, batch }, executor);
  if (step === undefined)
    throw new SwitchyardError('internal', 'A step without accumulation has one plan.');
  const program = executor.compile(step);
  const losses: number[] = [];
  const norms: number[] = [];
  const expected = golden.floats('train_losses');
  for (let i = 0; i < expected.length; i++) {
    const uniforms = {
      learningRate: optimizer.learningRate,
      step: i + 1,
      seed: 0,
      draw: i,
      lossScale: 1,
    };
    const { loss, norm } = await program.run({ inputs: chunk(i), uniforms });
    losses.push(loss[0]);
    norms.push(norm[0]);
  }
  program.dispose();
  return [
    compareScalars('train_losses', losses, expected, tolerance.trainingLoss, false),
    compareScalars(
      'train_grad_norms',
      norms,
      golden.floats('train_grad_norms'),
      tolerance.trainingNorm,
      true,
    ),
  ];
}

/** The json describes the optimiser in words; every number in it is read, none assumed. */
function parseOptimizer(golden: GoldenCase): TrainingConfig {
  const text = String(golden.sizes.optimizer);
  const read = (what: string, pattern: RegExp): number[] => {
    const match = pattern.exec(text);
    const numbers = match?.slice(1).map(Number) ?? [NaN];
    if (numbers.some(Number.isNaN))
      throw new SwitchyardError(
        'invalid-data',
        `Case ${golden.name}: no ${what} in its optimizer description "${text}".`,
      );
    return numbers;
  };
  const [learningRate] = read('learning rate', /\blr (\S+)/u);
  const [beta1, beta2] = read('betas', /\bbetas (\S+) (\S+)/u);
  const [epsilon] = read('epsilon', /\beps (\S+)/u);
  const [weightDecay] = read('weight decay', /\bweight decay (\S+)/u);
  const [clip] = read('clip', /\bclip global norm (\S+)/u);
  return { ...resolveConfig({}).training, learningRate, beta1, beta2, epsilon, weightDecay, clip };
}
