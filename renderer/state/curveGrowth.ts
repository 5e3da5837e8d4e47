/** How a curve that has been read grows by the core's events. Nothing is ever in it twice. */
import type {
  Curve,
  CurvePoint,
  StepMetric,
  ValidationMetric,
} from '../../core/contract/records.ts';

/** The curve with the steps that it does not have yet, at full resolution; itself if there are none. */
export function withSteps(curve: Curve, steps: readonly StepMetric[]): Curve {
  // Events may be older than what was read: they are sent a tenth of a second late.
  const last = curve.points.at(-1)?.step ?? 0;
  const added = steps.filter(({ step }) => step > last).map(pointOf);
  if (added.length === 0) return curve;
  return { ...curve, steps: curve.steps + added.length, points: [...curve.points, ...added] };
}

/** The curve with a validation, unless it has one of that step or a later one. */
export function withValidation(curve: Curve, validation: ValidationMetric): Curve {
  if ((curve.validations.at(-1)?.step ?? 0) >= validation.step) return curve;
  const at = curve.points.at(-1);
  const placed = {
    ...validation,
    trainedTokens: at?.tokens ?? 0,
    elapsedSeconds: at?.elapsedSeconds ?? 0,
  };
  return { ...curve, validations: [...curve.validations, placed] };
}

function pointOf({ loss, ...metric }: StepMetric): CurvePoint {
  return { ...metric, count: 1, loss, lowest: loss, highest: loss };
}
