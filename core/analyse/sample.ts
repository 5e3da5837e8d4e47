/**
 * Continues a text, one token at a time. The plan has the static shape [1, T]: the context is
 * written to the left and the rest is filled with zeros, which changes nothing because attention is
 * causal. Once the context is full, a window over the last T tokens slides along.
 */
import type { ModelConfig } from '../contract/config.ts';
import { SwitchyardError } from '../contract/errors.ts';
import type { Tokenizer } from '../data/tokenizer.ts';
import type { Executor } from '../graph/executor.ts';
import { stream, uniform } from '../graph/random.ts';
import { logitsPlan } from '../model/plans.ts';

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
 * @throws SwitchyardError `invalid-argument` for an empty prompt
 */
export async function sample(options: SampleOptions): Promise<{ text: string; tokens: number }> {
  const { executor, model, tokenizer, onText } = options;
  const T = model.context;
  const context = Array.from(await tokenizer.encode(options.prompt));
  if (context.length === 0)
    throw new SwitchyardError(
      'invalid-argument',
      'The prompt is empty; the model needs at least one character to go on from.',
    );
  const shape = { model, vocabulary: tokenizer.vocabulary, batch: 1 };
  const program = executor.compile(logitsPlan(shape, executor));
  const decoder = tokenizer.stream();
  let text = '';
  const say = (piece: string): void => {
    if (piece === '') return;
    text += piece;
    onText?.(piece);
  };
  try {
    for (let index = 0; index < options.tokens; index++) {
      const window = context.slice(-T);
      const tokens = new Int32Array(T); // [1, T]
      tokens.set(window);
      const { logits } = await program.run({ inputs: { tokens }, uniforms: {} }); // [1, T, V]
      const start = (window.length - 1) * tokenizer.vocabulary;
      const next = chooseToken(
        logits.subarray(start, start + tokenizer.vocabulary),
        options,
        index,
      );
      context.push(next);
      say(decoder.push(next));
    }
    say(decoder.end());
  } finally {
    program.dispose();
  }
  return { text, tokens: options.tokens };
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
