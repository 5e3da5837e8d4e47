/** How an active run is doing: its last steps, its speed and its end. Pure functions. */
import { median, recentSteps, secondsLeft, tokensPerStep } from '../../core/contract/progress.ts';
import type { Curve, Run, StepMetric } from '../../core/contract/records.ts';

/** What an active run has done last. */
export interface Live {
  last: StepMetric;
  /** Of the last steps, in milliseconds. */
  recent: readonly number[];
  /** Of the last validation, in milliseconds; 0 while none is known. */
  validation: number;
}

export interface Pace {
  /** Milliseconds of a step. */
  perStep: number;
  tokensPerSecond: number;
  secondsLeft: number;
  /** How many of the last steps `perStep` is the median of; null where it is that of the whole run. */
  over: number | null;
}

/** Fewer steps than these say too little; the run's own median is steadier. */
const enoughSteps = 20;
/** Fewer of a run's very first steps say nothing: the first one prepares the device. */
const firstSteps = 3;

/** After further steps, of which there is at least one. */
export function withSteps(live: Live | undefined, steps: readonly StepMetric[]): Live | undefined {
  const last = steps.at(-1);
  if (last === undefined) return live;
  const recent = [...(live?.recent ?? []), ...steps.map(({ milliseconds }) => milliseconds)];
  return { last, recent: recent.slice(-recentSteps), validation: live?.validation ?? 0 };
}

/**
 * The first step to read of a run under way, so that its last validation and last steps are among
 * what is read.
 */
export function seedFrom({ step, config }: Run): number {
  const { evaluateEvery } = config.training;
  const validated = Math.floor(step / evaluateEvery) * evaluateEvery;
  return Math.max(0, Math.min(validated, step - recentSteps));
}

/** What was read of a run under way, before what was heard of it meanwhile. */
export function seeded(curve: Curve, live: Live | undefined): Live | undefined {
  const end = curve.points.at(-1);
  if (end === undefined) return live;
  const heardFrom = live === undefined ? Infinity : live.last.step - live.recent.length + 1;
  // A summary's times are means of many steps.
  const read = curve.summarised ? [] : curve.points.filter(({ step }) => step < heardFrom);
  const recent = [...read.map(({ milliseconds }) => milliseconds), ...(live?.recent ?? [])];
  return {
    last: live !== undefined && live.last.step >= end.step ? live.last : end,
    recent: recent.slice(-recentSteps),
    validation: live?.validation || (curve.validations.at(-1)?.milliseconds ?? 0),
  };
}

/** Speed and end of an active run; null while too little is known. */
export function paceOf(run: Run, live: Live | undefined): Pace | null {
  const recent = live?.recent ?? [];
  const enough = recent.length >= enoughSteps;
  const measured = recent.length >= firstSteps ? median(recent) : null;
  const perStep = enough ? measured : (run.millisecondsPerStep ?? measured);
  if (perStep === null) return null;
  const step = Math.max(run.step, live?.last.step ?? 0);
  return {
    perStep,
    tokensPerSecond: (tokensPerStep(run.config) / perStep) * 1000,
    secondsLeft: secondsLeft(run.config, step, perStep, live?.validation ?? 0),
    over: enough || run.millisecondsPerStep === null ? recent.length : null,
  };
}
