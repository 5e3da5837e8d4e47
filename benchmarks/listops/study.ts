/**
 * The paper's analysis on ListOps (section 4), scaled to a processor with two cores: classifiers with
 * 8 dense heads, 2 dense heads, and SwitchHead with 2 heads, at equal parameters. Goes on where it was
 * interrupted: finished runs are not repeated.
 *
 *   node benchmarks/listops.mjs FOLDER [seeds] [backend]
 *
 * FOLDER keeps data and runs. Prints the table of README.md and draws accuracy.png beside it.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EChartsOption } from 'echarts';
import { openCore } from '../../core/api/openCore.ts';
import type { PartialConfig } from '../../core/contract/config.ts';
import { isActive, type BackendName, type Run } from '../../core/contract/records.ts';
import { renderPng } from '../../core/export/figure.ts';

const [home = 'listops-study', seedCount = '2', backend = 'tensorflow'] = process.argv.slice(2);
const seeds = Array.from({ length: Number(seedCount) }, (_, i) => i + 1);

/** All operators but SM: no model of this size learns sums modulo 10 in the time there is. */
const data = {
  ...{ name: 'listops', examples: 60_000, depth: 3, operands: 3, minLength: 8, maxLength: 30 },
  operators: ['MIN', 'MAX', 'MED', 'FIRST', 'LAST'],
} as const;

const shape = { task: 'classification', context: 32, layers: 6, width: 64 } as const;
const models: Readonly<Record<string, PartialConfig['model'] & { heads: number }>> = {
  'dense, 8 heads': { attention: 'dense', heads: 8, headWidth: 16, feedForwardWidth: 128 },
  'dense, 2 heads': { attention: 'dense', heads: 2, headWidth: 64, feedForwardWidth: 128 },
  'SwitchHead, 2 heads': {
    ...{ attention: 'switchhead', heads: 2, headWidth: 24, experts: 4, activeExperts: 2 },
    feedForwardWidth: 136,
  },
};
const training = {
  ...{ steps: 8000, batch: 32, learningRate: 2e-3, warmup: 200, finalLearningRateShare: 0.1 },
  ...{ clip: 1, evaluateEvery: 500, checkpointEvery: 1000 },
};

const core = openCore({ home });
const { client } = core;

/** Resolves once the run has ended, however. */
function ended(run: Run): Promise<Run> {
  return new Promise((resolve) => {
    const unsubscribe = core.subscribe((event) => {
      if (event.type !== 'run-changed' || event.run.id !== run.id || isActive(event.run.status))
        return;
      unsubscribe();
      resolve(event.run);
    });
  });
}

async function train(model: string, seed: number): Promise<Run> {
  const name = `${model}, seed ${seed}`;
  const known = (await client.call('runs.list', {})).find((run) => run.name === name);
  if (known?.status === 'finished') return known;
  console.error(`${new Date().toISOString()} ${name}`);
  const config = { model: { ...shape, ...models[model] }, training: { ...training, seed } };
  const run =
    known === undefined
      ? await client.call('runs.create', {
          ...{ config, name, dataset: data.name, backend: backend as BackendName },
        })
      : await client.call('runs.resume', { run: known.id });
  const last = await ended(run);
  if (last.status !== 'finished')
    throw new Error(`${name} is ${last.status}: ${last.error?.message ?? 'start again to go on'}`);
  return last;
}

/** Validation accuracy by step, a line a run, a colour a model. */
async function figure(runs: readonly Run[]): Promise<EChartsOption> {
  const series = [];
  const colours = ['#0072B2', '#D55E00', '#009E73'];
  for (const run of runs) {
    const { validations } = await client.call('runs.curve', { run: run.id });
    const model = run.name.replace(/, seed.*/u, '');
    series.push({
      type: 'line' as const,
      name: model,
      data: validations.map(({ step, accuracy }) => [step, 100 * Number(accuracy)]),
      color: colours[Object.keys(models).indexOf(model)],
      lineStyle: { type: run.name.endsWith('seed 1') ? ('solid' as const) : ('dashed' as const) },
      symbolSize: 5,
    });
  }
  return {
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: 'DejaVu Sans' },
    title: {
      text: 'ListOps: validation accuracy',
      subtext: 'Equal parameters; solid: seed 1, dashed: other seeds.',
    },
    legend: { bottom: 0, data: Object.keys(models) },
    grid: { left: 60, right: 30, top: 70, bottom: 70 },
    xAxis: { type: 'value', name: 'step', nameLocation: 'middle', nameGap: 25 },
    yAxis: { type: 'value', name: '%', scale: true },
    series,
  };
}

const datasets = await client.call('datasets.list', {});
if (datasets.every(({ name }) => name !== data.name))
  await client.call('datasets.generateListops', { ...data });
const runs: Run[] = [];
for (const seed of seeds)
  for (const model of Object.keys(models)) runs.push(await train(model, seed));

const row = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
console.log(row(['model', 'parameters', 'ms/step', ...seeds.map((seed) => `seed ${seed}`)]));
console.log(row(Array.from({ length: 3 + seeds.length }, () => '---')));
for (const model of Object.keys(models)) {
  const own = runs.filter(({ name }) => name.startsWith(`${model},`));
  const times = own.map(({ millisecondsPerStep }) => Math.round(millisecondsPerStep ?? NaN));
  const accuracies = own.map((run) => `${(100 * Number(run.bestAccuracy)).toFixed(1)} %`);
  console.log(row([model, own[0].parameters, times.join(', '), ...accuracies]));
}
writeFileSync(join(import.meta.dirname, 'accuracy.png'), renderPng(await figure(runs)));
await core.close();
