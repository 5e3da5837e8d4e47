import { backendNames } from '../contract/records.ts';
import {
  label,
  list,
  longText,
  number,
  object,
  oneOf,
  optional,
  path,
  text,
  wholeNumber,
} from './arguments.ts';
import type { Context } from './context.ts';
import { createRun } from './createRun.ts';
import { exportPoints } from './exportPoints.ts';
import { exportRun } from './exportRun.ts';
import { handler } from './handlers.ts';
import { pauseRun } from './pauseRun.ts';
import { readCurve } from './readCurve.ts';
import { removeCheckpoints } from './removeCheckpoints.ts';
import { removeRun } from './removeRun.ts';
import { resumeRun } from './resumeRun.ts';
import { sampleRun } from './sampleRun.ts';
import { stopRun } from './stopRun.ts';
import { updateRun } from './updateRun.ts';

const run = text(200);
const checkpoint = optional(oneOf(['best', 'last']));
const seedLimit = 2 ** 32 - 1;
const step = wholeNumber(0, Number.MAX_SAFE_INTEGER);

export const runHandlers = (context: Context) => ({
  'runs.create': handler(
    'runs.create',
    {
      config: object(),
      dataset: text(200),
      backend: optional(oneOf(backendNames)),
      name: optional(label(200)),
    },
    (input) => createRun(context, input),
  ),
  'runs.resume': handler('runs.resume', { run }, (input) => resumeRun(context, input.run)),
  'runs.pause': handler('runs.pause', { run }, (input) => pauseRun(context, input.run)),
  'runs.stop': handler('runs.stop', { run }, (input) => stopRun(context, input.run)),
  'runs.update': handler(
    'runs.update',
    {
      run,
      name: optional(label(200)),
      tags: optional(list(label(40), 0, 20)),
      note: optional(longText(20_000)),
    },
    (input) => updateRun(context, input),
  ),
  'runs.remove': handler('runs.remove', { run }, (input) => removeRun(context, input.run)),
  'runs.list': handler('runs.list', {}, () => context.store.runs.list()),
  'runs.get': handler('runs.get', { run }, (input) => context.store.runs.find(input.run)),
  'runs.metrics': handler('runs.metrics', { run, fromStep: optional(step) }, (input) =>
    context.store.metrics.read(context.store.runs.find(input.run).id, input.fromStep),
  ),
  'runs.curve': handler(
    'runs.curve',
    {
      run,
      fromStep: optional(step),
      toStep: optional(step),
      points: optional(wholeNumber(1, 100_000)),
    },
    (input) => readCurve(context, input),
  ),
  'runs.log': handler('runs.log', { run, limit: optional(wholeNumber(1, 100_000)) }, (input) =>
    context.store.logs.read(context.store.runs.find(input.run).id, input.limit),
  ),
  'runs.checkpoints': handler('runs.checkpoints', { run }, (input) =>
    context.store.checkpoints.list(context.store.runs.find(input.run).id),
  ),
  'runs.removeCheckpoints': handler(
    'runs.removeCheckpoints',
    { run, steps: list(step, 1, 100_000) },
    (input) => removeCheckpoints(context, input),
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
    (input, signal) => sampleRun(context, input, signal),
  ),
  'runs.export': handler(
    'runs.export',
    { run, format: oneOf(['safetensors']), out: optional(path()), checkpoint },
    (input) => exportRun(context, input),
  ),
  'runs.exportPoints': handler(
    'runs.exportPoints',
    { runs: list(run, 1, 1000), out: optional(path()) },
    (input) => exportPoints(context, input),
  ),
});
