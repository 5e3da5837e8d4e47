/** What training shows as it goes: pure functions from metrics to text. */
import type { RunConfig } from '../../contract/config.ts';
import type { StepMetric, ValidationMetric } from '../../contract/records.ts';
import * as format from './format.ts';
import type { Paint } from './output.ts';

/** Steps over which the shown speed is the median. */
const recentSteps = 50;

export class RunProgress {
  readonly #config: RunConfig;
  #recent: StepMetric[] = [];
  #last: StepMetric | undefined;
  #validation: ValidationMetric | undefined;
  #best = Infinity;

  constructor(config: RunConfig, before: { bestValidationLoss: number | null }) {
    this.#config = config;
    this.#best = before.bestValidationLoss ?? Infinity;
  }

  get last(): StepMetric | undefined {
    return this.#last;
  }

  addSteps(steps: readonly StepMetric[]): void {
    this.#recent = [...this.#recent, ...steps].slice(-recentSteps);
    this.#last = steps.at(-1) ?? this.#last;
  }

  addValidation(validation: ValidationMetric): void {
    this.#validation = validation;
    this.#best = Math.min(this.#best, validation.loss);
  }

  /** Parts of the progress line, the most telling first; units always. */
  parts(): string[] {
    const { steps, batch, accumulate } = this.#config.training;
    const step = this.#last;
    if (step === undefined) return [];
    const perStep = median(this.#recent.map(({ milliseconds }) => milliseconds));
    const tokens = batch * accumulate * this.#config.model.context;
    const validation = this.#validation;
    return [
      `step ${String(step.step).padStart(String(steps).length)}/${steps}`,
      `loss ${format.loss(step.loss)}`,
      ...(validation === undefined ? [] : [`validation ${format.loss(validation.loss)}`]),
      `ETA ${format.duration(this.#secondsLeft(step.step, perStep))}`,
      format.milliseconds(perStep).replace(' ms', ' ms/step'),
      `${format.count((tokens / perStep) * 1000)} tokens/s`,
      `tensors ${format.bytes(step.tensorBytes)}`,
      `process ${format.bytes(step.rssBytes)}`,
    ];
  }

  /** One line about a validation. */
  validationLine(validation: ValidationMetric, paint: Paint): string {
    const { steps } = this.#config.training;
    const best = validation.loss <= this.#best;
    const text = [
      `step ${String(validation.step).padStart(String(steps).length)}/${steps}`,
      `validation ${format.loss(validation.loss)} nats/token`,
      `(${format.count(validation.tokens)} tokens in ${format.duration(validation.milliseconds / 1000)})`,
    ].join('  ');
    return best ? `${text}  ${paint('green', 'best so far')}` : text;
  }

  /** Steps and validations still to come at their recent speed. */
  #secondsLeft(step: number, perStep: number): number {
    const { steps, evaluateEvery } = this.#config.training;
    const validations = Math.ceil(steps / evaluateEvery) - Math.floor(step / evaluateEvery);
    const training = (steps - step) * perStep;
    return (training + validations * (this.#validation?.milliseconds ?? 0)) / 1000;
  }
}

/** The middle value; the mean of the two middle ones for an even number. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length % 2 === 1) return sorted[middle] ?? NaN;
  return ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}
