import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReferenceExecutor } from '../backends/reference/executor.ts';
import type { ModelConfig } from '../contract/config.ts';
import { resolveConfig } from '../contract/resolveConfig.ts';
import { byteTokenizer } from '../data/tokenizer.ts';
import { modelParameters } from '../model/plans.ts';
import { initialise } from '../train/state.ts';
import { chooseToken, sample, type Sampling } from './sample.ts';

const logits = [0, 3, 3, 1, -2];

test('temperature 0 takes the largest logit, the first of equal ones', () => {
  assert.equal(chooseToken(logits, { temperature: 0, topK: 0, seed: 1 }, 0), 1);
});

test('draws follow the probabilities, and top-k leaves the others out', () => {
  const counts = new Array<number>(logits.length).fill(0);
  const draws = 20_000;
  for (let index = 0; index < draws; index++)
    counts[chooseToken(logits, { temperature: 1, topK: 0, seed: 7 }, index)]++;
  const weights = logits.map(Math.exp);
  const total = weights.reduce((sum, weight) => sum + weight);
  for (const [token, weight] of weights.entries())
    assert.ok(Math.abs(counts[token] / draws - weight / total) < 0.01, `token ${token}`);

  const seen = new Set<number>();
  for (let index = 0; index < 1000; index++)
    seen.add(chooseToken(logits, { temperature: 5, topK: 3, seed: 7 }, index));
  assert.deepEqual([...seen].sort(), [1, 2, 3]);
});

const { model } = resolveConfig({
  model: { context: 8, layers: 1, width: 8, heads: 1, headWidth: 4, feedForwardWidth: 8 },
});

async function greedy(
  prompt: string,
  tokens: number,
  change?: Partial<ModelConfig>,
): Promise<string> {
  return continued(prompt, tokens, { temperature: 0, topK: 0, seed: 1 }, change);
}

async function continued(
  prompt: string,
  tokens: number,
  options: Sampling,
  change?: Partial<ModelConfig>,
): Promise<string> {
  const executor = new ReferenceExecutor();
  const shape = { ...model, ...change };
  initialise(executor, modelParameters(shape, 256), 1);
  const pieces: string[] = [];
  const onText = (text: string): void => void pieces.push(text);
  const { text } = await sample({
    ...options,
    executor,
    model: shape,
    tokenizer: byteTokenizer,
    prompt,
    tokens,
    onText,
  });
  assert.equal(pieces.join(''), text);
  executor.dispose();
  return text;
}

test('only the last T tokens count once the window slides', async () => {
  const window = 'abcdefgh';
  assert.equal(await greedy(`one thing ${window}`, 3), await greedy(`another ${window}`, 3));
});

test('the padding after the prompt changes nothing', async () => {
  const long = await greedy('abc', 4);
  const first = await greedy('abc', 1);
  assert.ok(long.startsWith(first));
});

test('an empty prompt is refused', async () => {
  await assert.rejects(greedy('', 1), { code: 'invalid-argument' });
});

const text = 'The quick brown fox jumps over the lazy dog';
const remembering = { positions: 'xl', memoryChunks: 3 } as const;

test('with memory a continuation sees the M + T tokens before it, as with one long context', async () => {
  // All that is said fits into the long context, and into the memory: 24 + 8 tokens.
  for (const length of [1, 7, 8, 9, 16, 20]) {
    const prompt = text.slice(0, length);
    const long = await greedy(prompt, 11, { positions: 'xl', memoryChunks: 0, context: 40 });
    assert.equal(await greedy(prompt, 11, remembering), long, `a prompt of ${length} tokens`);
  }
});

test('with memory, what is in an earlier chunk changes the continuation', async () => {
  const window = 'abcdefgh';
  const [one, other] = [`one thing ${window}`, `another 1 ${window}`];
  const options = { temperature: 1, topK: 0, seed: 3 };
  assert.notEqual(
    await continued(one, 20, options, remembering),
    await continued(other, 20, options, remembering),
  );
});

test('the same seed gives the same text, with and without memory', async () => {
  for (const change of [{}, remembering]) {
    const draw = (seed: number) => continued(text, 30, { temperature: 1, topK: 20, seed }, change);
    assert.equal(await draw(5), await draw(5));
    assert.notEqual(await draw(5), await draw(6));
  }
});

test('a model that classifies is refused', async () => {
  await assert.rejects(greedy('abc', 1, { task: 'classification' }), {
    code: 'invalid-argument',
    message: /only a language model can continue a text/u,
  });
});
