import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReferenceExecutor } from '../backends/reference/executor.ts';
import { resolveConfig } from '../contract/resolveConfig.ts';
import { byteTokenizer } from '../data/tokenizer.ts';
import { modelParameters } from '../model/plans.ts';
import { initialise } from '../train/state.ts';
import { chooseToken, sample } from './sample.ts';

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

async function greedy(prompt: string, tokens: number): Promise<string> {
  const executor = new ReferenceExecutor();
  initialise(executor, modelParameters(model, 256), 1);
  const options = { temperature: 0, topK: 0, seed: 1 };
  const pieces: string[] = [];
  const onText = (text: string): void => void pieces.push(text);
  const { text } = await sample({
    ...options,
    executor,
    model,
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
