import { backendNames } from '../contract/records.ts';
import { number, object, oneOf, optional, text, wholeNumber } from './arguments.ts';
import type { Context } from './context.ts';
import { createRun } from './createRun.ts';
import { exportRun } from './exportRun.ts';
import { handler } from './handlers.ts';
import { resumeRun } from './resumeRun.ts';
import { sampleRun } from './sampleRun.ts';
import { stopRun } from './stopRun.ts';

const run = text(200);
const checkpoint = optional(oneOf(['best', 'last']));
const seedLimit = 2 ** 32 - 1;

export const runHandlers = (context: Context) => ({
  'runs.create': handler(
    'runs.create',
    {
      config: object(),
      dataset: text(200),
      backend: optional(oneOf(backendNames)),
      name: optional(text(200)),
    },
    (input) => createRun(context, input),
  ),
  'runs.resume': handler('runs.resume', { run }, (input) => resumeRun(context, input.run)),
  'runs.stop': handler('runs.stop', { run }, (input) => stopRun(context, input.run)),
  'runs.list': handler('runs.list', {}, () => context.store.runs.list()),
  'runs.get': handler('runs.get', { run }, (input) => context.store.runs.find(input.run)),
  'runs.metrics': handler(
    'runs.metrics',
    { run, fromStep: optional(wholeNumber(0, Number.MAX_SAFE_INTEGER)) },
    (input) => context.store.metrics.read(context.store.runs.find(input.run).id, input.fromStep),
  ),
  'runs.checkpoints': handler('runs.checkpoints', { run }, (input) =>
    context.store.checkpoints.list(context.store.runs.find(input.run).id),
  ),
  'runs.sample': handler(
    'runs.sample',
    {
      run,
      prompt: text(1_000_000),
      tokens: optional(wholeNumber(1, 100_000)),
      temperature: optional(number(0, 100)),
      topK: optional(wholeNumber(0, 10_000_000)),
      seed: optional(wholeNumber(0, seedLimit)),
      checkpoint,
    },
    (input) => sampleRun(context, input),
  ),
  'runs.export': handler(
    'runs.export',
    { run, format: oneOf(['safetensors']), out: text(), checkpoint },
    (input) => exportRun(context, input),
  ),
});
