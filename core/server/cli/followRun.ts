/** Shows a run from its start to its end, and stops it when the person asks for that. */
import type { Client, CoreEvent } from '../../contract/protocol.ts';
import { fromErrorRecord } from '../../contract/errors.ts';
import type { Run, RunStatus } from '../../contract/records.ts';
import { bestBits, lossUnit } from './comparison.ts';
import { hint, type Context } from './context.ts';
import { interruptedExit } from './failures.ts';
import * as format from '../../contract/format.ts';
import { onInterrupt } from './interrupts.ts';
import { fit } from './output.ts';
import { RunProgress } from './runProgress.ts';
import { oneLine } from './table.ts';

/** Milliseconds between lines of progress where none is rewritten in place, and where one is. */
const plainEvery = 5000;
const liveEvery = 100;

const ended: readonly RunStatus[] = ['stopped', 'interrupted', 'failed', 'finished'];

/**
 * Starts a run by `start` and follows it to its end; returns the exit code. The first Ctrl-C stops
 * it with a checkpoint, the second ends the process at once; both leave it resumable.
 */
export async function followRun(
  client: Client,
  context: Context,
  start: () => Promise<Run>,
): Promise<number> {
  const { out } = context;
  const follower = new Follower(context);
  const unsubscribe = client.subscribe((event) => follower.receive(event));
  let stopping: Promise<unknown> | undefined;
  let asked = false;
  const stop = (): void => {
    if (stopping !== undefined || follower.runId === undefined) return;
    out.note(
      'Stopping after this step, writing a checkpoint… Ctrl-C again ends at once, without one.',
    );
    // A run that ended by itself just before can no longer be stopped; then `end` is settled already.
    stopping = client
      .call('runs.stop', { run: follower.runId })
      .catch((error: unknown) => follower.fail(error));
  };
  const release = onInterrupt(() => {
    asked = true;
    stop();
  }, interruptedExit);
  out.onClosed(() => {
    asked = true;
    stop();
  });
  try {
    follower.begin(await start());
    if (asked) stop(); // asked while the run was being created
    const run = await follower.end;
    await stopping;
    summarise(run, context);
    if (run.status === 'failed' && run.error !== null) throw fromErrorRecord(run.error);
    return run.status === 'finished' ? 0 : interruptedExit;
  } finally {
    release();
    unsubscribe();
  }
}

/** Turns the events of one run into output. Events that come before its id is known wait. */
class Follower {
  readonly end: Promise<Run>;
  readonly #context: Context;
  readonly #resolve: (run: Run) => void;
  readonly #reject: (error: Error) => void;
  #early: CoreEvent[] = [];
  #run: Run | undefined;
  #progress: RunProgress | undefined;
  #shownAt = 0;

  constructor(context: Context) {
    this.#context = context;
    const { promise, resolve, reject } = Promise.withResolvers<Run>();
    this.end = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    // Awaited only after the start; a failure before that must not count as unhandled.
    promise.catch(() => undefined);
  }

  get runId(): string | undefined {
    return this.#run?.id;
  }

  fail(error: unknown): void {
    this.#reject(error instanceof Error ? error : new Error(String(error)));
  }

  begin(run: Run): void {
    const { out } = this.#context;
    this.#run = run;
    this.#progress = new RunProgress(run.config, run);
    const from = run.step > 0 ? ` from step ${format.whole(run.step)}` : '';
    out.line(
      `${out.paint('bold', oneLine(run.name))} (${run.id})  ${format.count(run.parameters)} parameters, ` +
        `${format.plural(run.config.training.steps, 'step')}${from}, on ${run.backend}`,
    );
    if (run.status === 'queued') out.status('Waiting for the device…');
    for (const event of this.#early) this.receive(event);
    this.#early = [];
    if (ended.includes(run.status)) this.#resolve(run);
  }

  receive(event: CoreEvent): void {
    const { out } = this.#context;
    if (event.type === 'import-progress') return;
    if (this.#run === undefined) {
      this.#early.push(event);
      return;
    }
    if (runOf(event) !== this.#run.id) return;
    out.record(event);
    switch (event.type) {
      case 'run-changed':
        this.#changed(event.run);
        return;
      case 'run-steps':
        this.#progress?.addSteps(event.steps);
        this.#show();
        return;
      case 'run-validation':
        this.#progress?.addValidation(event.validation);
        out.line(this.#progress?.validationLine(event.validation, out.paint) ?? '');
        return;
      case 'run-log':
        // A failure is logged and also the run's error, which is reported at the end.
        if (event.level === 'info') out.line(out.paint('dim', event.message));
        else if (event.level === 'warning' && !out.json) out.note(event.message);
        return;
      default: // nothing that somebody who watches needs to read
    }
  }

  #changed(run: Run): void {
    const before = this.#run?.status;
    this.#run = run;
    const { out } = this.#context;
    if (run.status === 'paused' && before !== 'paused')
      out.line(out.paint('yellow', `Paused at step ${format.whole(run.step)}.`));
    if (!ended.includes(run.status)) return;
    out.status('');
    this.#resolve(run);
  }

  /** The progress line: rewritten in place on a terminal, else printed every few seconds. */
  #show(): void {
    const { out } = this.#context;
    const now = performance.now();
    const due = now - this.#shownAt >= (out.live ? liveEvery : plainEvery);
    const parts = this.#progress?.parts() ?? [];
    if (!due || parts.length === 0) return;
    this.#shownAt = now;
    if (out.live) out.status(fit(parts, out.columns).join('  '));
    else out.line(parts.join('  '));
  }
}

function runOf(event: CoreEvent): string | undefined {
  switch (event.type) {
    case 'run-changed':
      return event.run.id;
    case 'run-checkpoint':
      return event.checkpoint.runId;
    case 'import-progress':
    case 'import-ended':
    case 'dataset-changed':
    case 'dataset-removed':
      return undefined;
    default:
      return event.runId;
  }
}

/** What came of it, and what to type next. */
function summarise(run: Run, context: Context): void {
  const { out } = context;
  const words: Partial<Record<RunStatus, string>> = {
    finished: out.paint('green', 'Finished'),
    stopped: out.paint('yellow', 'Stopped'),
    interrupted: out.paint('yellow', 'Interrupted'),
    failed: out.paint('red', 'Failed'),
  };
  out.line(
    `${words[run.status] ?? run.status} at step ${format.whole(run.step)} of ` +
      `${format.whole(run.config.training.steps)}, ${format.count(run.tokens)} tokens seen.`,
  );
  const bits = bestBits(run);
  const asBits = bits === null ? '' : ` (${format.bits(bits)} bits per byte)`;
  if (run.bestValidationLoss !== null)
    out.line(
      `Best validation loss ${format.loss(run.bestValidationLoss)} ${lossUnit([run])}${asBits} at step ` +
        `${format.whole(run.bestStep ?? 0)}; last ${format.loss(run.lastValidationLoss)}.`,
    );
  if (run.bestAccuracy !== null && run.lastAccuracy !== null)
    out.line(
      `Best validation accuracy ${format.percent(run.bestAccuracy)}; last ${format.percent(run.lastAccuracy)}.`,
    );
  if (run.millisecondsPerStep !== null)
    out.line(
      `${format.milliseconds(run.millisecondsPerStep)} per step (median), tensors at most ` +
        `${format.bytes(run.peakTensorBytes ?? 0)}, process at most ${format.bytes(run.peakRssBytes ?? 0)}.`,
    );
  if (run.status === 'finished') {
    const next =
      run.config.model.task === 'classification'
        ? `compare ${run.id}`
        : `sample ${run.id} --prompt "…"`;
    out.line(out.paint('dim', `Next: ${hint(context, next)}`));
  } else if (run.status !== 'failed' || run.step > 0)
    out.note(`Continue with: ${hint(context, `resume ${run.id}`)}`);
}
