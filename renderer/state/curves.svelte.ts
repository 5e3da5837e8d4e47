/**
 * The histories of runs as charts need them: read once, then continued by the core's events. A curve
 * that has grown long is read anew, so that no page holds more than a few thousand points a run.
 */
import type { Curve, CurvePoint, StepMetric } from '../../core/contract/records.ts';
import { core } from '../connection/core.svelte.ts';

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

  /** Steps that the curve does not have yet are added at full resolution. */
  addSteps(steps: readonly StepMetric[]): void {
    const { curve } = this;
    if (curve === null) return;
    const last = curve.points.at(-1)?.step ?? 0;
    const added = steps.filter(({ step }) => step > last).map(pointOf);
    if (added.length === 0) return;
    const points = [...curve.points, ...added];
    this.curve = { ...curve, steps: curve.steps + added.length, points };
    if (points.length > mostPoints) void this.read();
  }

  addValidation(step: number, loss: number, tokens: number, milliseconds: number): void {
    const { curve } = this;
    if (curve === null || (curve.validations.at(-1)?.step ?? 0) >= step) return;
    const at = curve.points.at(-1);
    const validation = {
      ...{ step, loss, tokens, milliseconds },
      trainedTokens: at?.tokens ?? 0,
      elapsedSeconds: at?.elapsedSeconds ?? 0,
    };
    this.curve = { ...curve, validations: [...curve.validations, validation] };
  }
}

function pointOf({ loss, ...metric }: StepMetric): CurvePoint {
  return { ...metric, count: 1, loss, lowest: loss, highest: loss };
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
        case 'run-validation': {
          const { step, loss, tokens, milliseconds } = event.validation;
          this.#byRun.get(event.runId)?.addValidation(step, loss, tokens, milliseconds);
          return;
        }
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
