/**
 * Checks an executor against golden numbers: modules and tiny language models of the paper authors'
 * reference code, evaluated in float64 (tensor names `<case>.<kind>.<name>`, sizes in a json beside).
 * Cases are recognised by their tensors, so any file pair of that layout works.
 */
import { readFileSync } from 'node:fs';
import {
  combinationProblems,
  completeConfig,
  resolveConfig,
} from '../../contract/resolveConfig.ts';
import {
  fields,
  type ModelConfig,
  type PartialConfig,
  type RunConfig,
  type TrainingConfig,
} from '../../contract/config.ts';
import { SwitchyardError } from '../../contract/errors.ts';
import { GoldenCase } from './case.ts';
import {
  compare,
  compareScalars,
  judge,
  requireCount,
  tolerance,
  type Deviation,
} from './deviation.ts';
import { withFileErrors } from '../../data/fileErrors.ts';
import { openSafetensors, type SafetensorsFile } from '../../data/safetensors.ts';
import { differentiate } from '../../graph/differentiate.ts';
import type { Executor, Feed, Program } from '../../graph/executor.ts';
import { Graph, sizeOf, type Tensor } from '../../graph/graph.ts';
import { concat } from '../../graph/ops/concat.ts';
import { crossEntropy } from '../../graph/ops/crossEntropy.ts';
import { mean } from '../../graph/ops/mean.ts';
import { plan } from '../../graph/plan.ts';
import { attentionFamilies } from '../../model/attention/index.ts';
import { fromAuthors, toAuthors, type AuthorsTensor } from '../../model/authorsNames.ts';
import { ModelBuilder } from '../../model/builder.ts';
import { feedForwardFamilies } from '../../model/feedForward.ts';
import { memoryTokens, memoryVariables, visibleSources } from '../../model/memory.ts';
import { trainPlans } from '../../model/plans.ts';
import { transformer } from '../../model/transformer.ts';

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

function readCases(path: string): Readonly<Record<string, unknown>> {
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
  if (!isObject(parsed) || Object.keys(parsed).length === 0)
    throw new SwitchyardError(
      'invalid-data',
      `${path} must hold an object with one entry per case.`,
    );
  return parsed;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

async function checkCase(
  name: string,
  sizes: unknown,
  file: SafetensorsFile,
  open: () => Promise<Executor>,
): Promise<GoldenResult> {
  if (!isObject(sizes))
    return {
      name,
      result: 'failed',
      detail: `Its json entry must be an object with its sizes, not ${JSON.stringify(sizes)}.`,
    };
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
function modelConfig(golden: GoldenCase): ModelConfig {
  const { attention, isLanguageModel, isSigmaMoe, isRelative } = golden;
  const model: PartialConfig['model'] = {
    width: golden.size('d_model'),
    context: golden.size('T'),
    layers: isLanguageModel ? golden.size('n_layers', fields.model.layers) : 1,
    positions: isRelative ? 'xl' : 'rope',
    task: golden.sizes.causal === false ? 'classification' : 'language-model',
    // A layer on its own is given its memory as an input.
    memoryChunks:
      isRelative && isLanguageModel ? golden.size('mem_chunks', fields.model.memoryChunks) : 0,
    ...(attention === undefined ? {} : attentionConfig(golden, attention)),
    feedForward: isSigmaMoe ? 'sigma-moe' : 'dense',
    ...(isLanguageModel && !isSigmaMoe ? { feedForwardWidth: golden.size('d_ff') } : {}),
    ...(isSigmaMoe ? moeSizes(golden) : {}),
  };
  // Numbers can be checked at any size, also where no run would be allowed.
  const config = completeConfig({ model } as RunConfig);
  const [problem] = combinationProblems(config);
  if (problem !== undefined) throw new SwitchyardError('invalid-data', problem.message);
  return config.model;
}

function attentionConfig(
  golden: GoldenCase,
  attention: ModelConfig['attention'],
): PartialConfig['model'] {
  const shape = { attention, heads: golden.size('n_heads'), headWidth: golden.size('d_head') };
  if (attention === 'dense') return shape;
  const experts = golden.size('n_experts');
  if (attention === 'moa') return { ...shape, experts, gating: gating(golden) };
  const isExpert = (projection: string): boolean =>
    golden.flag(`${projection}_expert`) ??
    golden.isExpert(new RegExp(`(^|\\.)(projections\\.)?${projection}(\\.weight)?$`, 'u'));
  const expertProjections = ['q', 'k', 'v', 'o'].filter(isExpert).join('');
  const isShared = golden.flag('same_sel') === true && !golden.someParameter(/selections\.[kv]$/u);
  return {
    ...shape,
    experts,
    activeExperts: golden.size('k'),
    expertProjections: expertProjections as ModelConfig['expertProjections'],
    selection: isShared ? 'shared' : 'separate',
  };
}

/** The authors call them by mode and selection; their defaults are "my" and "sigmoid". */
function gating(golden: GoldenCase): ModelConfig['gating'] {
  const mode = golden.word('mode') ?? 'my';
  const selection = golden.word('selection') ?? 'sigmoid';
  if (mode === 'moa') return 'softmax';
  if (mode === 'my' && selection === 'sigmoid') return 'sigmoid';
  if (mode === 'my' && selection === 'softmax') return 'softmax-chosen';
  throw new SwitchyardError(
    'invalid-data',
    `Case ${golden.name} has mode "${mode}" and selection "${selection}"; mode must be "my" or "moa", selection "sigmoid" or "softmax".`,
  );
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
function loadAuthors(
  golden: GoldenCase,
  builder: ModelBuilder,
  executor: Executor,
  heads: number,
): AuthorsTensor[] {
  return builder.parameters.map((parameter) => {
    const { name, shape } = parameter;
    const source = toAuthors(parameter, heads, golden.names('param'));
    executor.write(name, shape, fromAuthors(source, shape, golden.floats(`param.${source.name}`)));
    return source;
  });
}

/** A single layer: output, gradients of all weights and of the inputs. */
async function checkLayer(golden: GoldenCase, executor: Executor): Promise<Deviation[]> {
  const config = modelConfig(golden);
  const graph = new Graph();
  const { attentionSave } = executor.info;
  const builder = new ModelBuilder(graph, { training: false, attentionSave });
  const x = layerInput(golden, graph, 'input.0');
  const hasMemory = golden.has('input.1') || Number(golden.sizes.mem ?? 0) > 0;
  const memory = hasMemory ? layerInput(golden, graph, 'input.1') : undefined;
  if (memory !== undefined && memory.shape[0] !== x.shape[0])
    throw new SwitchyardError(
      'invalid-data',
      `The tensor "input.1" has ${memory.shape[0]} sequences, but "input.0" has ${x.shape[0]}.`,
    );
  const { attention } = golden;
  const y =
    attention === undefined
      ? feedForwardFamilies[config.feedForward](builder, 'feedForward', x, config)
      : attentionFamilies[attention](
          builder,
          'attention',
          { destination: x, source: memory === undefined ? x : concat(memory, x) },
          config,
        );
  const inputs = memory === undefined ? [x] : [x, memory];
  const cotangent = graph.input('cotangent', y.shape, 'f32');
  const gradients = differentiate(y, [...inputs, ...builder.tensors], cotangent);
  const outputs = Object.fromEntries([
    ['output', y] as const,
    ...gradients.map((gradient, i) => [`gradient.${i}`, gradient] as const),
  ]);
  const sources = loadAuthors(golden, builder, executor, config.heads);
  const outputCotangent = golden.floats('output_cotangent');
  requireCount('output_cotangent', outputCotangent.length, sizeOf(y.shape));
  const program = executor.compile(plan(graph, { outputs, costs: executor }));
  const inputNames = inputs.map((_, i) => `input.${i}`);
  const results = await program.run({
    inputs: {
      ...Object.fromEntries(inputNames.map((name) => [name, golden.floats(name)])),
      cotangent: outputCotangent,
    },
    uniforms: {},
  });
  program.dispose();
  const gradient = (i: number) => results[`gradient.${i}`];
  return [
    compare('output', results.output, golden.floats('output')),
    ...inputs.map((_, i) =>
      compare(`input_grad.${i}`, gradient(i), golden.floats(`input_grad.${i}`)),
    ),
    ...compareGradients(golden, 'grad', builder, sources, (i) => gradient(inputs.length + i)),
  ];
}

/** What a layer reads, [B, T, D] of the case's D. */
function layerInput(golden: GoldenCase, graph: Graph, name: string): Tensor {
  const shape = golden.shape(name);
  const width = golden.size('d_model');
  if (shape.length !== 3 || shape[2] !== width || sizeOf(shape) === 0)
    throw new SwitchyardError(
      'invalid-data',
      `The tensor "${name}" must be [B, T, ${width}] (d_model is ${width}), not [${shape.join(', ')}].`,
    );
  return graph.input(name, shape, 'f32');
}

/** Compares gradients after bringing the authors' into our layout. Rows of a shared tensor count once each. */
function compareGradients(
  golden: GoldenCase,
  kind: string,
  builder: ModelBuilder,
  sources: readonly AuthorsTensor[],
  gradient: (index: number) => ArrayLike<number>,
): Deviation[] {
  return builder.parameters.map(({ shape }, i) => {
    const expected = fromAuthors(sources[i], shape, golden.floats(`${kind}.${sources[i].name}`));
    return compare(`${kind}.${sources[i].name}`, gradient(i), expected);
  });
}

/** A language model: logits and losses of two chunks, gradients of the second, ten training steps. */
async function checkLanguageModel(golden: GoldenCase, executor: Executor): Promise<Deviation[]> {
  const config = modelConfig(golden);
  const batch = golden.size('B');
  const vocabulary = golden.size('vocab');
  const steps = golden.floats('train_losses').length;
  const tokens = tokensOf(golden, Math.max(2, steps), vocabulary);
  const { builder, sources, program } = compileLanguageModel(golden, executor, config);
  const feed = chunkFeeds(tokens, config, batch);
  const uniforms = { lossScale: 1 };
  const first = await program.run({ inputs: feed(0), uniforms });
  const second = await program.run({ inputs: feed(1), uniforms });
  program.dispose();
  const timeFirst = (values: ArrayLike<number>) =>
    swapLeading(values, batch, config.context, vocabulary); // [T, B, V]
  const losses = [first.loss[0], second.loss[0]];
  return [
    compare('logits_chunk0', timeFirst(first.logits), golden.floats('logits_chunk0')),
    compare('logits_chunk1', timeFirst(second.logits), golden.floats('logits_chunk1')),
    compareScalars('loss', losses, golden.floats('loss'), tolerance.loss, false),
    ...compareGradients(golden, 'grad_chunk1', builder, sources, (i) => second[`gradient.${i}`]),
    ...(await trainTenSteps(golden, executor, config, vocabulary, batch, feed)),
  ];
}

/** Logits, loss and gradients of one chunk after the other, the memory moving on. */
function compileLanguageModel(
  golden: GoldenCase,
  executor: Executor,
  config: ModelConfig,
): { builder: ModelBuilder; sources: readonly AuthorsTensor[]; program: Program } {
  const [batch, vocabulary] = [golden.size('B'), golden.size('vocab')];
  const graph = new Graph();
  const { attentionSave } = executor.info;
  const builder = new ModelBuilder(graph, { training: false, attentionSave });
  const targets = graph.input('targets', [batch, config.context], 'i32');
  const memory = memoryVariables(config, batch, 'training');
  const { logits, memories } = transformer(
    builder,
    {
      tokens: graph.input('tokens', [batch, config.context], 'i32'),
      ...(memory.length > 0 ? { visible: graph.input('visible', [batch, 2], 'i32') } : {}),
      memories: memory.map(({ name, shape }) => graph.variable(name, shape)),
    },
    config,
    vocabulary,
  ); // [B, T, V]
  const loss = mean(crossEntropy(logits, targets));
  const gradients = differentiate(loss, builder.tensors, graph.uniform('lossScale'));
  const named = gradients.map((gradient, i) => [`gradient.${i}`, gradient] as const);
  const sources = loadAuthors(golden, builder, executor, config.heads);
  const program = executor.compile(
    plan(graph, {
      outputs: { logits, loss, ...Object.fromEntries(named) },
      updates: memory.map(({ name }, i) => [name, memories[i]]),
      costs: executor,
    }),
  );
  return { builder, sources, program };
}

/**
 * The case's tokens, [.., B].
 * @throws SwitchyardError('invalid-data') unless they are in the vocabulary and enough for the chunks
 */
function tokensOf(golden: GoldenCase, chunks: number, vocabulary: number): Int32Array {
  const tokens = golden.integers('tokens');
  const fail = (what: string): never => {
    throw new SwitchyardError('invalid-data', `The tensor "tokens" ${what}.`);
  };
  const needed = (chunks * golden.size('T') + 1) * golden.size('B');
  if (tokens.length < needed)
    fail(`has ${tokens.length} values, but ${chunks} chunks need at least ${needed}`);
  const wrong = tokens.find((token) => token < 0 || token >= vocabulary);
  if (wrong !== undefined)
    fail(
      `has a token ${wrong}, but with a vocabulary of ${vocabulary} (vocab) they must be from 0 to ${vocabulary - 1}`,
    );
  return tokens;
}

/** The inputs of chunk c: rows c·T … c·T + T of `all` [.., B], targets shifted by one, c chunks remembered. */
function chunkFeeds(
  all: Int32Array,
  config: ModelConfig,
  batch: number,
): (chunk: number) => Feed['inputs'] {
  const { context } = config;
  const memory = memoryTokens(config, 'training');
  return (chunk) => {
    const filled = chunk * context;
    return {
      ...readChunk(all, chunk, context, batch),
      ...(memory > 0 ? { visible: visibleSources({ batch, memory, filled, context }) } : {}),
    };
  };
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
  feed: (chunk: number) => Feed['inputs'],
): Promise<Deviation[]> {
  const optimizer = parseOptimizer(golden);
  const { step } = trainPlans(model, vocabulary, { ...optimizer, batch }, executor);
  if (step === undefined)
    throw new SwitchyardError('internal', 'A step without accumulation has one plan.');
  const program = executor.compile(step);
  const losses: number[] = [];
  const norms: number[] = [];
  const expected = golden.floats('train_losses');
  if (expected.length === 0)
    throw new SwitchyardError('invalid-data', 'The tensor "train_losses" has no values.');
  for (let i = 0; i < expected.length; i++) {
    const uniforms = {
      learningRate: optimizer.learningRate,
      step: i + 1,
      seed: 0,
      draw: i,
      lossScale: 1,
    };
    const { loss, norm } = await program.run({ inputs: feed(i), uniforms });
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
