import type { AbortSignal, Input, Output } from '../contract/protocol.ts';
import { chooseCheckpoint } from './chooseCheckpoint.ts';
import type { Context } from './context.ts';

/** Continues a prompt with one of the run's checkpoints. */
export async function sampleRun(
  context: Context,
  input: Input<'runs.sample'>,
  signal?: AbortSignal,
): Promise<Output<'runs.sample'>> {
  const { store, directory, jobs, bus, devices } = context;
  const run = store.runs.find(input.run);
  const { step, folder } = chooseCheckpoint(context, run, input.checkpoint);
  const dataset = store.datasets.get(run.datasetId);
  // Weights are the same everywhere: a run trained on a device that is gone can still be sampled.
  const { precision } = run.config.training;
  const its = await devices.has(run.backend, precision);
  const result = await jobs.run(
    'sampler',
    {
      backend: its ? run.backend : await devices.default(),
      precision: its ? precision : 'f32',
      model: run.config.model,
      vocabulary: dataset.vocabulary,
      checkpoints: directory.checkpoints(run.id),
      folder,
      dataset: directory.dataset(dataset.id),
      tokenizer: dataset.tokenizer,
      prompt: input.prompt,
      tokens: input.tokens ?? 200,
      temperature: input.temperature ?? 0.8,
      topK: input.topK ?? 0,
      seed: input.seed ?? 1,
    },
    { signal, onProgress: (text) => bus.emit({ type: 'sample-token', runId: run.id, text }) },
  );
  return { ...result, step };
}
