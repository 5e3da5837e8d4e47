/** Entry of the thread that continues a prompt with one checkpoint. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sample } from '../analyse/sample.ts';
import { openExecutor } from '../backends/devices.ts';
import { withFileErrors } from '../data/fileErrors.ts';
import { loadTokenizer } from '../data/tokenizer.ts';
import { modelParameters } from '../model/plans.ts';
import { inspectCheckpoint, loadParameters } from '../train/checkpoint.ts';
import { serveTask } from './serveTask.ts';

await serveTask('sampler', async (task, report) => {
  const { checkpoints, folder, model, vocabulary } = task;
  inspectCheckpoint(checkpoints, folder);
  const tokenizerFile = join(task.dataset, 'tokenizer.json');
  const json = withFileErrors('read', tokenizerFile, () => readFileSync(tokenizerFile, 'utf8'));
  const tokenizer = await loadTokenizer(json, task.tokenizer, tokenizerFile);
  const executor = await openExecutor(task.backend, task.precision);
  try {
    loadParameters(checkpoints, folder, executor, modelParameters(model, vocabulary));
    const start = performance.now();
    const sampled = await sample({ ...task, executor, tokenizer, onText: report });
    return { ...sampled, milliseconds: performance.now() - start };
  } finally {
    executor.dispose();
  }
});
