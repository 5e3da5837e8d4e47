/** Runs with histories, written straight into a database: training them would take days. */
import { join } from 'node:path';
import { presets } from '../../core/contract/presets.ts';
import type { StepMetric, ValidationMetric } from '../../core/contract/records.ts';
import { resolveConfig } from '../../core/contract/resolveConfig.ts';
import { costOf } from '../../core/jobs/beforeRun.ts';
import { openStore, type Store } from '../../core/store/database.ts';

export interface Planned {
  name: string;
  /** Recorded. */
  steps: number;
  /** Whether this process has it running, or it has finished. */
  running: boolean;
  tags?: string[];
}

/** Steps between two validations. */
export const validateEvery = 100;
const millisecondsPerStep = 50;

/** Makes a database with these runs, oldest first, and gives their ids. */
export function recordRuns(home: string, planned: readonly Planned[]): string[] {
  const store = openStore(join(home, 'switchyard.db'));
  try {
    const dataset = store.datasets.add({
      name: 'synthetic',
      source: '/texts/synthetic.txt',
      sourceBytes: 1_115_394,
      sourceSha256: 'a'.repeat(64),
      tokenizer: 'byte',
      vocabulary: 256,
      validationShare: 0.1,
      trainTokens: 1_003_854,
      validationTokens: 111_540,
    });
    return planned.map((run, index) => recordRun(store, dataset.id, run, index));
  } finally {
    store.close();
  }
}

function recordRun(store: Store, datasetId: string, planned: Planned, index: number): string {
  const { config: preset } = presets[index % 3]; // the first are the tiny ones
  // An unfinished run goes on for a while.
  const steps = planned.running ? planned.steps + 10_000 : planned.steps;
  const config = resolveConfig({ ...preset, training: { ...preset.training, steps } });
  const cost = costOf(config, 256);
  const { id } = store.runs.create({
    ...{ name: planned.name, config, datasetId, backend: 'cpu' },
    parameters: cost.parameters.total,
    macs: cost.model.total.macs,
    attentionMacs: cost.layer.attention.macs,
    attentionFloats: cost.layer.attention.floats,
  });
  if (planned.tags) store.runs.update(id, { tags: planned.tags });
  store.runs.start(id);
  const block = 5000;
  for (let from = 1; from <= planned.steps; from += block) {
    const to = Math.min(planned.steps, from + block - 1);
    const numbers = Array.from({ length: to - from + 1 }, (_, i) => from + i);
    store.metrics.append(
      id,
      numbers.map((step) => stepMetric(step, index)),
      numbers.filter((step) => step % validateEvery === 0).map((step) => validation(step, index)),
    );
  }
  if (!planned.running) store.runs.finish(id, { status: 'finished' });
  return id;
}

/** A plausible step: a power law with noise that differs between runs, the same every time. */
export function stepMetric(step: number, run: number): StepMetric {
  return {
    step,
    loss: lossAt(step, run) + 0.25 * noise(step, run),
    gradientNorm: 0.4 + 0.2 * noise(step, run + 1000),
    learningRate: 3e-3 * Math.min(1, step / 50),
    milliseconds: millisecondsPerStep * (1 + 0.2 * noise(step, run + 2000)),
    tokens: step * 2048,
    tensorBytes: 90_000_000 + run,
    rssBytes: 400_000_000 + step,
    elapsedSeconds: (step * millisecondsPerStep) / 1000,
  };
}

/** A validation somewhat above the training loss. */
export function validation(step: number, run: number): ValidationMetric {
  const loss = lossAt(step, run) + 0.1;
  return { step, loss, accuracy: null, tokens: 111_540, milliseconds: 300 };
}

const lossAt = (step: number, run: number): number => 1.2 + (run % 7) * 0.03 + 4.3 * step ** -0.35;

/** Between -1 and 1. */
function noise(step: number, stream: number): number {
  const wave = Math.sin(step * 12.9898 + stream * 78.233) * 43_758.5453;
  return 2 * (wave - Math.floor(wave)) - 1;
}
