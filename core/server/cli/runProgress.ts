/** What training shows as it goes: pure functions from metrics to text. */
import type { RunConfig } from '../../contract/config.ts';
import type { StepMetric, ValidationMetric } from '../../contract/records.ts';
import { median, recentSteps, secondsLeft, tokensPerStep } from '../../contract/progress.ts';
import * as format from '../../contract/format.ts';
import { lossUnit } from './comparison.ts';
import type { Paint } from './output.ts';

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
    const { steps } = this.#config.training;
    const step = this.#last;
    if (step === undefined) return [];
    const perStep = median(this.#recent.map(({ milliseconds }) => milliseconds));
    const tokens = tokensPerStep(this.#config);
    const validation = this.#validation;
    const left = secondsLeft(this.#config, step.step, perStep, validation?.milliseconds ?? 0);
    return [
      `step ${String(step.step).padStart(String(steps).length)}/${steps}`,
      `loss ${format.loss(step.loss)}`,
      ...(validation === undefined
        ? []
        : [`validation ${format.loss(validation.loss)}`, ...accuracyParts(validation)]),
      `ETA ${format.duration(left)}`,
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
      `validation ${format.loss(validation.loss)} ${lossUnit([{ config: this.#config }])}`,
      ...accuracyParts(validation),
      `(${format.count(validation.tokens)} ${validation.accuracy === null ? 'tokens' : 'examples'} in ${format.duration(validation.milliseconds / 1000)})`,
    ].join('  ');
    return best ? `${text}  ${paint('green', 'best so far')}` : text;
  }
}

/** `accuracy 95.1 %`; nothing for a language model. */
function accuracyParts({ accuracy }: ValidationMetric): string[] {
  return accuracy === null ? [] : [`accuracy ${format.percent(accuracy)}`];
}
