/** What the tests of the core share: a data directory of their own, a real text, a tiny run. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PartialConfig } from '../../contract/config.ts';
import type {
  BackendName,
  Dataset,
  Run,
  RunStatus,
  StepMetric,
  ValidationMetric,
} from '../../contract/records.ts';
import type { Core } from '../openCore.ts';

export const textFile = fileURLToPath(
  new URL('../../../samples/tinyshakespeare.txt', import.meta.url),
);

/** A fresh data directory, and how to remove it. */
export function temporaryHome(): { home: string; remove: () => void } {
  const home = mkdtempSync(join(tmpdir(), 'switchyard-test-'));
  return { home, remove: () => rmSync(home, { recursive: true, force: true }) };
}

/** The smallest run that has everything: experts, validations, checkpoints. */
export function tinyConfig(training: PartialConfig['training'] = {}): PartialConfig {
  return {
    model: {
      context: 16,
      layers: 1,
      width: 16,
      heads: 2,
      headWidth: 8,
      experts: 2,
      activeExperts: 1,
      feedForwardWidth: 32,
      dropout: 0.1,
    },
    training: {
      steps: 20,
      batch: 2,
      warmup: 2,
      evaluateEvery: 10,
      evaluationBatches: 2,
      checkpointEvery: 5,
      ...training,
    },
  };
}

export function importText(core: Core): Promise<Dataset> {
  return core.client.call('datasets.import', { path: textFile, name: 'shakespeare' });
}

/** Creates a tiny run, by default on the processor's plain backend. */
export function createTinyRun(
  core: Core,
  training: PartialConfig['training'] = {},
  name?: string,
  backend: BackendName = 'cpu',
): Promise<Run> {
  return core.client.call('runs.create', {
    config: tinyConfig(training),
    dataset: 'shakespeare',
    backend,
    ...(name === undefined ? {} : { name }),
  });
}

const ended: readonly RunStatus[] = ['finished', 'stopped', 'failed', 'interrupted'];

/** Resolves with the run once it has ended. */
export async function untilEnded(core: Core, runId: string): Promise<Run> {
  return untilRun(core, runId, ({ status }) => ended.includes(status));
}

/** Resolves with the run once `holds` is true of it; rejects if it ends without that. */
export function untilRun(core: Core, runId: string, holds: (run: Run) => boolean): Promise<Run> {
  const { promise, resolve, reject } = Promise.withResolvers<Run>();
  const look = (run: Run): void => {
    if (holds(run)) resolve(run);
    else if (ended.includes(run.status))
      reject(new Error(`The run ended: ${run.status} at ${run.step} ${run.error?.message}`));
  };
  const fetch = (): void => {
    core.client.call('runs.get', { run: runId }).then(look, reject);
  };
  const end = core.subscribe((event) => {
    if (event.type === 'run-changed' && event.run.id === runId) look(event.run);
    if (event.type === 'run-steps' && event.runId === runId) fetch();
  });
  fetch();
  return promise.finally(end);
}

export interface Curve {
  steps: Pick<StepMetric, 'step' | 'loss' | 'gradientNorm' | 'learningRate' | 'tokens'>[];
  validations: Pick<ValidationMetric, 'step' | 'loss' | 'tokens'>[];
}

/** What must not depend on stops, kills and resumes: everything but times and memory. */
export async function curve(core: Core, run: string): Promise<Curve> {
  const { steps, validations } = await core.client.call('runs.metrics', { run });
  return {
    steps: steps.map(({ step, loss, gradientNorm, learningRate, tokens }) => ({
      step,
      loss,
      gradientNorm,
      learningRate,
      tokens,
    })),
    validations: validations.map(({ step, loss, tokens }) => ({ step, loss, tokens })),
  };
}

/** Equal bit for bit, or on tensorflow, whose threads add in any order, with losses within 1e-5. */
export function assertSameCurve(actual: Curve, expected: Curve, backend: BackendName): void {
  if (backend !== 'tensorflow') {
    assert.deepEqual(actual, expected);
    return;
  }
  const points = ({ steps, validations }: Curve) => [...steps, ...validations];
  assert.deepEqual(
    points(actual).map(({ step }) => step),
    points(expected).map(({ step }) => step),
  );
  for (const [i, { step, loss }] of points(actual).entries())
    assert.ok(Math.abs(loss - points(expected)[i].loss) < 1e-5, `${loss} at step ${step}`);
}
