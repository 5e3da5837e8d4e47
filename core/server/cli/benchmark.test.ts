import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TfjsExecutor } from '../../backends/tfjs/executor.ts';
import type { PartialConfig } from '../../contract/config.ts';
import { resolveConfig } from '../../contract/resolveConfig.ts';
import { benchmark } from './benchmark.ts';

const tiny: PartialConfig['model'] = {
  context: 6,
  layers: 1,
  width: 8,
  heads: 2,
  headWidth: 4,
  experts: 3,
  feedForwardWidth: 8,
};
const models: PartialConfig['model'][] = [
  { attention: 'dense', positions: 'xl' },
  { attention: 'switchhead', positions: 'xl', memoryChunks: 3 },
  { attention: 'moa', feedForward: 'sigma-moe', feedForwardExperts: 4, feedForwardExpertWidth: 4 },
  { attention: 'switchhead', task: 'classification' },
  { attention: 'dense', task: 'classification', positions: 'xl', memoryChunks: 0 },
];

for (const model of models)
  test(`a step of it can be timed: ${JSON.stringify(model)}`, async () => {
    const config = resolveConfig({
      model: { ...tiny, ...model },
      training: { batch: 2, accumulate: 2 },
    });
    const executor = await TfjsExecutor.open('wasm');
    let steps = 0;
    const { medianMilliseconds, profile } = await benchmark(executor, {
      ...config,
      vocabulary: 18,
      steps: 1,
      profile: true,
      onStep: (step) => (steps = step),
    });
    assert.equal(steps, 6, 'five to warm up');
    assert.ok(medianMilliseconds > 0);
    assert.ok(profile?.some(({ op }) => op === 'attention'));
    executor.dispose();
  });
