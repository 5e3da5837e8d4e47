/**
 * Continues a text, one token at a time. Plans have the static shape [1, T]: tokens are written to the
 * left and the rest is filled with zeros, which changes nothing because attention is causal.
 */
import type { ModelConfig } from '../contract/config.ts';
import { SwitchyardError } from '../contract/errors.ts';
import type { Tokenizer } from '../data/tokenizer.ts';
import type { Executor, Outputs } from '../graph/executor.ts';
import { stream, uniform } from '../graph/random.ts';
import { memoryTokens, visibleSources } from '../model/memory.ts';
import { logitsPlan, type ModelShape } from '../model/plans.ts';

export interface Sampling {
  /** 0 takes the likeliest token every time; 1 draws by the model's own probabilities. */
  temperature: number;
  /** Only the `topK` likeliest tokens can be drawn; 0 allows all. */
  topK: number;
  /** Of the draws: the same seed, checkpoint and device give the same text. */
  seed: number;
}

export interface SampleOptions extends Sampling {
  /** Holds the model's parameters. */
  executor: Executor;
  model: ModelConfig;
  tokenizer: Tokenizer;
  /** At least one token of text. */
  prompt: string;
  /** How many tokens to add. */
  tokens: number;
  /** Gets the text as it appears; all pieces together are the result. */
  onText?: (text: string) => void;
}

/**
 * @returns the continuation, without the prompt, and the number of its tokens
 * @throws SwitchyardError `invalid-argument` for an empty prompt, or a model that classifies
 */
export async function sample(options: SampleOptions): Promise<{ text: string; tokens: number }> {
  const { executor, model, tokenizer, onText } = options;
  if (model.task === 'classification')
    throw new SwitchyardError(
      'invalid-argument',
      'This model classifies whole sequences (model.task is "classification"); only a language model can continue a text.',
    );
  const context = Array.from(await tokenizer.encode(options.prompt));
  if (context.length === 0)
    throw new SwitchyardError(
      'invalid-argument',
      'The prompt is empty; the model needs at least one character to go on from.',
    );
  const shape = { model, vocabulary: tokenizer.vocabulary, batch: 1 };
  const remembers = memoryTokens(model, 'evaluation') > 0;
  const predictor = (remembers ? predictFromStream : predictFromWindow)(executor, shape);
  const decoder = tokenizer.stream();
  let text = '';
  const say = (piece: string): void => {
    if (piece === '') return;
    text += piece;
    onText?.(piece);
  };
  try {
    for (let index = 0; index < options.tokens; index++) {
      const next = chooseToken(await predictor.after(context), options, index);
      context.push(next);
      say(decoder.push(next));
    }
    say(decoder.end());
  } finally {
    predictor.dispose();
  }
  return { text, tokens: options.tokens };
}

interface Predictor {
  /** Logits [V] of the token after a context, which begins with the context of the call before. */
  after(context: readonly number[]): Promise<ArrayLike<number>>;
  dispose(): void;
}

/** Without memory: once the context is full, a window over its last T tokens slides along. */
function predictFromWindow(executor: Executor, shape: ModelShape): Predictor {
  const program = executor.compile(logitsPlan(shape, executor, false));
  return {
    async after(context) {
      const tokens = context.slice(-shape.model.context);
      return lastLogits(
        await program.run({ inputs: { tokens: padded(tokens, shape) }, uniforms: {} }),
        tokens.length,
        shape,
      );
    },
    dispose: () => program.dispose(),
  };
}

/**
 * With memory: the context is a stream from its first token on. Full chunks go into the memory, and
 * the last one, as long as it grows, only reads it; so a token follows from up to M + T before it.
 */
function predictFromStream(executor: Executor, shape: ModelShape): Predictor {
  const reading = executor.compile(logitsPlan(shape, executor, false));
  const advancing = executor.compile(logitsPlan(shape, executor, true));
  const { context: T } = shape.model;
  const memory = memoryTokens(shape.model, 'evaluation');
  let done = 0; // tokens of full chunks
  return {
    async after(context) {
      for (;;) {
        const chunk = context.slice(done, done + T);
        const visible = visibleSources({ batch: 1, memory, filled: done, context: T });
        const program = chunk.length === T ? advancing : reading;
        const outputs = await program.run({
          inputs: { tokens: padded(chunk, shape), visible },
          uniforms: {},
        });
        const isLast = done + chunk.length === context.length;
        if (chunk.length === T) done += T;
        if (isLast) return lastLogits(outputs, chunk.length, shape);
      }
    },
    dispose() {
      reading.dispose();
      advancing.dispose();
    },
  };
}

/** Tokens as [1, T]. */
function padded(tokens: readonly number[], { model }: ModelShape): Int32Array {
  const all = new Int32Array(model.context);
  all.set(tokens);
  return all;
}

/** Of logits [1, T, V], those [V] after the first `count` tokens. */
function lastLogits({ logits }: Outputs, count: number, { vocabulary }: ModelShape) {
  return logits.subarray((count - 1) * vocabulary, count * vocabulary);
}

/**
 * Draws a token from logits [V]. A pure function: draw number `index` of a seed is always the same.
 * Of equal logits the lower token counts as the likelier one.
 */
export function chooseToken(
  logits: ArrayLike<number>,
  { temperature, topK, seed }: Sampling,
  index: number,
): number {
  const all = Array.from({ length: logits.length }, (_, token) => token);
  const likeliest = all.reduce((best, token) => (logits[token] > logits[best] ? token : best), 0);
  if (temperature === 0) return likeliest;
  const candidates =
    topK === 0 ? all : all.sort((a, b) => logits[b] - logits[a] || a - b).slice(0, topK);
  const weights = candidates.map((token) =>
    Math.exp((logits[token] - logits[likeliest]) / temperature),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let left = uniform(stream.sampling, 0, index, seed) * total;
  for (const [rank, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return candidates[rank];
  }
  return likeliest; // only when rounding ate the last weight
}
