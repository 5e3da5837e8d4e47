/**
 * Does memory grow while training? Trains a preset through the core as `switchyard train` does and
 * fits a line to what was recorded at every step after the first 500: tensors (executor) and the
 * process's resident set.
 *
 *   node benchmarks/memorySlope.mjs [steps] [backend…]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCore } from '../core/api/openCore.ts';
import { presets } from '../core/contract/presets.ts';
import { backendNames, type BackendName, type StepMetric } from '../core/contract/records.ts';

const settled = 500;
const mebibyte = 2 ** 20;
const [steps = '3000', ...chosen] = process.argv.slice(2);
const backends = backendNames.filter((name) => chosen.includes(name));

/** Least-squares slope of y over x. */
function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (pick: (point: readonly [number, number]) => number) =>
    points.reduce((sum, point) => sum + pick(point), 0) / points.length;
  const [meanX, meanY] = [mean(([x]) => x), mean(([, y]) => y)];
  const covariance = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return covariance / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
}

async function measure(name: string, backend: BackendName): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'switchyard-memory-'));
  const core = openCore({ home });
  try {
    const dataset = await core.client.call('datasets.import', {
      path: join(import.meta.dirname, '..', 'samples', 'tinyshakespeare.txt'),
    });
    const config = presets.find((preset) => preset.name === name)?.config ?? {};
    // Short sequences: what could leak is per step, and many steps show it sooner.
    const small = {
      ...config,
      model: { ...config.model, context: 32 },
      training: {
        ...config.training,
        steps: Number(steps),
        batch: 4,
        evaluateEvery: 500,
        evaluationBatches: 4,
        checkpointEvery: 500,
      },
    };
    const run = await core.client.call('runs.create', {
      config: small,
      dataset: dataset.id,
      backend,
    });
    await new Promise<void>((resolve) => {
      core.client.subscribe((event) => {
        if (
          event.type === 'run-changed' &&
          event.run.id === run.id &&
          !['queued', 'running'].includes(event.run.status)
        )
          resolve();
      });
    });
    const { steps: metrics } = await core.client.call('runs.metrics', { run: run.id });
    const last = metrics[metrics.length - 1];
    const perThousand = (from: number, pick: (metric: StepMetric) => number) => {
      const points = metrics.filter(({ step }) => step > from);
      const fitted = slope(points.map((metric) => [metric.step, pick(metric)]));
      return ((fitted * 1000) / mebibyte).toFixed(2);
    };
    const rss = ({ rssBytes }: StepMetric) => rssBytes;
    process.stdout.write(
      `${name} on ${backend}, ${last.step} steps, MiB per 1,000 steps: ` +
        `tensors ${perThousand(settled, ({ tensorBytes }) => tensorBytes)} (peak ${(last.tensorBytes / mebibyte).toFixed(1)} MiB), ` +
        `process ${perThousand(settled, rss)} after step ${settled}, ${perThousand(last.step / 2, rss)} in the second half (last ${(last.rssBytes / mebibyte).toFixed(0)} MiB)\n`,
    );
  } finally {
    await core.close();
    rmSync(home, { recursive: true, force: true });
  }
}

for (const backend of backends.length > 0 ? backends : (['tensorflow', 'wasm'] as const))
  for (const name of ['tiny-dense', 'tiny-switchhead', 'tiny-switchall'])
    await measure(name, backend);
