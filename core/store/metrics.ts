/** Queries of the `steps` and `validations` tables. */
import { SwitchyardError } from '../contract/errors.ts';
import type { Checkpoint, Curve, StepMetric, ValidationMetric } from '../contract/records.ts';
import { createCheckpointPruning } from './checkpoints.ts';
import type { Connection } from './connection.ts';
import { createCurveReader, type CurveRange } from './curve.ts';
import { createRunSummary } from './runSummary.ts';

export interface MetricStore {
  /**
   * Records a batch and the run's summary in one transaction. Steps must be ascending and later than
   * those recorded; a validation of a step that has one already replaces it.
   * Throws `not-found`, and `invalid-argument` for a step out of order or a number that is not finite.
   */
  append(
    runId: string,
    steps: readonly StepMetric[],
    validations?: readonly ValidationMetric[],
  ): void;
  /** Steps and validations in order, from `fromStep` (inclusive, default 0) on. */
  read(runId: string, fromStep?: number): { steps: StepMetric[]; validations: ValidationMetric[] };
  /**
   * The next `limit` steps after `afterStep`, with the validations up to the last of them; when fewer
   * are left, with all that follow. For going through a long history in bounded memory.
   */
  readBlock(
    runId: string,
    afterStep: number,
    limit: number,
  ): { steps: StepMetric[]; validations: ValidationMetric[] };
  /** The history between two steps in at most so many stretches. Throws `not-found`. */
  curve(runId: string, range: CurveRange): Curve;
  /**
   * Removes steps, validations and checkpoint rows later than `step` and sums up the run again, in
   * one transaction. Returns the removed checkpoints, whose folders are the caller's to delete.
   * Throws `not-found`.
   */
  removeAfter(runId: string, step: number): { checkpoints: Checkpoint[] };
}

/**
 * Whether a run has grown by a tenth since its median was computed. A run of n steps then sorts its
 * step times O(log n) times, and all sorts together cost about eleven of the last one.
 */
function medianIsStale(before: number, after: number): boolean {
  const tenths = (step: number) => Math.floor(Math.log(Math.max(step, 1)) / Math.log(1.1));
  return before <= 0 || tenths(before) !== tenths(after);
}

/**
 * SQLite stores NaN as NULL and JSON has no number for either NaN or infinity. A trainer reports a
 * loss that is not finite as `diverged` and sends no metric.
 */
function checkFinite(runId: string, what: string, metric: StepMetric | ValidationMetric): void {
  for (const [field, value] of Object.entries(metric) as [string, unknown][])
    if (!Number.isFinite(value) && !(field === 'accuracy' && value === null))
      throw new SwitchyardError(
        'invalid-argument',
        `The ${what} at step ${metric.step} of run ${runId} has ${field} ${String(value)}, which cannot be recorded; it must be a finite number.`,
      );
}

export function createMetricStore({ db, read, write }: Connection): MetricStore {
  const insertStep = db.prepare<StepMetric & { runId: string }>(`INSERT INTO steps (run_id, step,
    loss, gradient_norm, learning_rate, milliseconds, tokens, tensor_bytes, rss_bytes,
    elapsed_seconds) VALUES (@runId, @step, @loss, @gradientNorm, @learningRate, @milliseconds,
    @tokens, @tensorBytes, @rssBytes, @elapsedSeconds)`);
  const insertValidation = db.prepare<
    ValidationMetric & { runId: string }
  >(`INSERT INTO validations (run_id, step, loss, accuracy, tokens, milliseconds)
    VALUES (@runId, @step, @loss, @accuracy, @tokens, @milliseconds)
    ON CONFLICT (run_id, step) DO UPDATE SET loss = excluded.loss, accuracy = excluded.accuracy,
    tokens = excluded.tokens, milliseconds = excluded.milliseconds`);
  const steps = db.prepare<[string, number, number], StepMetric>(`SELECT step, loss,
    gradient_norm AS gradientNorm, learning_rate AS learningRate, milliseconds, tokens,
    tensor_bytes AS tensorBytes, rss_bytes AS rssBytes, elapsed_seconds AS elapsedSeconds
    FROM steps WHERE run_id = ? AND step >= ? ORDER BY step LIMIT ?`);
  const validations = db.prepare<[string, number, number], ValidationMetric>(`SELECT step, loss,
    accuracy, tokens, milliseconds FROM validations WHERE run_id = ? AND step >= ? AND step <= ?
    ORDER BY step`);
  const removeSteps = db.prepare<[string, number]>(
    'DELETE FROM steps WHERE run_id = ? AND step > ?',
  );
  const removeValidations = db.prepare<[string, number]>(
    'DELETE FROM validations WHERE run_id = ? AND step > ?',
  );
  // -1 while there is no step, so that a first step 0 is later.
  const lastStep = db.prepare<[string], { last: number }>(`SELECT coalesce(
    (SELECT max(step) FROM steps WHERE run_id = runs.id), -1) AS last FROM runs WHERE id = ?`);
  const curve = createCurveReader(db);
  const pruneCheckpoints = createCheckpointPruning(db);
  const summary = createRunSummary(db);

  const lastStepOf = (runId: string): number => {
    const row = lastStep.get(runId);
    if (row === undefined)
      throw new SwitchyardError(
        'not-found',
        `There is no run "${runId}". "switchyard runs" lists the runs there are.`,
      );
    return row.last;
  };

  return {
    append: (runId, newSteps, newValidations = []) =>
      write(() => {
        const before = lastStepOf(runId);
        let last = before;
        let tensorBytes = 0;
        let rssBytes = 0;
        for (const metric of newSteps) {
          checkFinite(runId, 'metric', metric);
          if (metric.step <= last)
            throw new SwitchyardError(
              'invalid-argument',
              `Step ${metric.step} of run ${runId} came after step ${last} was recorded; steps must be recorded in order, each once.`,
            );
          insertStep.run({ runId, ...metric });
          last = metric.step;
          tensorBytes = Math.max(tensorBytes, metric.tensorBytes);
          rssBytes = Math.max(rssBytes, metric.rssBytes);
        }
        for (const metric of newValidations) {
          checkFinite(runId, 'validation', metric);
          insertValidation.run({ runId, ...metric });
        }
        summary.refresh(runId);
        if (newSteps.length === 0) return;
        summary.raisePeaks(runId, tensorBytes, rssBytes);
        if (medianIsStale(before, last)) summary.refreshMedian(runId);
      }),
    read: (runId, fromStep = 0) =>
      read(() => ({
        steps: steps.all(runId, fromStep, -1),
        validations: validations.all(runId, fromStep, Number.MAX_SAFE_INTEGER),
      })),
    readBlock: (runId, afterStep, limit) =>
      read(() => {
        const block = steps.all(runId, afterStep + 1, limit);
        const last = block.length < limit ? undefined : block.at(-1)?.step;
        return {
          steps: block,
          validations: validations.all(runId, afterStep + 1, last ?? Number.MAX_SAFE_INTEGER),
        };
      }),
    curve: (runId, range) =>
      read(() => {
        lastStepOf(runId); // throws not-found
        return curve(runId, range);
      }),
    removeAfter: (runId, step) =>
      write(() => {
        lastStepOf(runId); // throws not-found
        removeSteps.run(runId, step);
        removeValidations.run(runId, step);
        const checkpoints = pruneCheckpoints(runId, step);
        summary.refresh(runId);
        summary.refreshPeaks(runId);
        summary.refreshMedian(runId);
        return { checkpoints };
      }),
  };
}
