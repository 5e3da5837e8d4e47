/**
 * The histories of runs as charts need them: read once, then continued by the core's events. A curve
 * that has grown long is read anew, so that no page holds more than a few thousand points a run.
 */
import type { Curve, StepMetric, ValidationMetric } from '../../core/contract/records.ts';
import { core } from '../connection/core.svelte.ts';
import { withSteps, withValidation } from './curveGrowth.ts';

/** Points a curve is read with, and may grow to before it is read again. */
const readPoints = 2000;
const mostPoints = 4000;

export class RunCurve {
  readonly runId: string;
  /** Replaced, never changed in place; null until it has been read. */
  curve = $state.raw<Curve | null>(null);
  /** Why it could not be read. */
  error = $state.raw<unknown>(null);
  #reading = 0;

  constructor(runId: string) {
    this.runId = runId;
  }

  /** Reads the whole curve from the core. */
  async read(): Promise<void> {
    const mine = ++this.#reading;
    try {
      const curve = await core.call('runs.curve', { run: this.runId, points: readPoints });
      if (mine !== this.#reading) return;
      this.curve = curve;
      this.error = null;
    } catch (error) {
      if (mine === this.#reading && this.curve === null) this.error = error;
    }
  }

  addSteps(steps: readonly StepMetric[]): void {
    if (this.curve === null) return;
    this.curve = withSteps(this.curve, steps);
    if (this.curve.points.length > mostPoints) void this.read();
  }

  addValidation(validation: ValidationMetric): void {
    if (this.curve !== null) this.curve = withValidation(this.curve, validation);
  }
}

class Curves {
  #byRun = new Map<string, RunCurve>();
  /** First reads that have ended. */
  #arrived = $state(0);

  start(): void {
    core.subscribe((event) => {
      switch (event.type) {
        case 'run-steps':
          this.#byRun.get(event.runId)?.addSteps(event.steps);
          return;
        case 'run-validation':
          this.#byRun.get(event.runId)?.addValidation(event.validation);
          return;
        case 'run-rewound':
          void this.#byRun.get(event.runId)?.read();
          return;
        case 'run-removed':
          this.#byRun.delete(event.runId);
          return;
        default:
          return;
      }
    });
    core.onConnect(() => {
      for (const curve of this.#byRun.values()) void curve.read();
    });
  }

  /** The curve of a run; the first call starts to read it. */
  of(runId: string): RunCurve {
    const known = this.#byRun.get(runId);
    if (known !== undefined) return known;
    const curve = new RunCurve(runId);
    this.#byRun.set(runId, curve);
    // Svelte does not tell a derived value of changes to state that was made inside of it.
    if (this.#arrived >= 0) void curve.read().then(() => this.#arrived++);
    return curve;
  }
}

export const curves = new Curves();
