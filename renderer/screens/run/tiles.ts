/** The numbers at the top of a run's page. */
import { bitsPerByte, isClassifier, lossUnit } from '../../../core/contract/comparison.ts';
import * as format from '../../../core/contract/format.ts';
import { tokensPerStep } from '../../../core/contract/progress.ts';
import { isActive, type Curve, type Run } from '../../../core/contract/records.ts';
import { paceOf, type Live } from '../../state/pace.ts';
import { lossWindow, recentLoss } from './recentLoss.ts';

export interface Tile {
  label: string;
  value: string;
  /** Under the value: unit, or where it was. */
  detail: string;
  /** Under that: the same in other units. */
  more?: string;
  /** What the words mean, where they do not say it. */
  help?: string;
}

const dash = '–';
const shown = (value: number | null | undefined, as: (value: number) => string): string =>
  value == null ? dash : as(value);

/** The larger of what is recorded and what was heard of last; null of neither. */
function highest(recorded: number | null, live: number | undefined): number | null {
  const known = [recorded, live ?? null].filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/** @param step the last one done, which may be ahead of the record */
export function tilesOf(
  run: Run,
  step: number,
  live: Live | undefined,
  curve: Curve | null,
): Tile[] {
  const points = curve?.points ?? [];
  const last = points.at(-1);
  const active = run.status === 'running';
  const pace = active ? paceOf(run, live) : null;
  const perStep = pace?.perStep ?? run.millisecondsPerStep;
  const speed = perStep === null ? null : (tokensPerStep(run.config) * 1000) / perStep;
  const recent = recentLoss(points, lossWindow(step));
  const { steps } = run.config.training;
  const unit = lossUnit([run]);
  return [
    {
      label: 'Step',
      value: format.whole(step),
      detail: `of ${format.whole(steps)}, ${format.percent(step / steps)}`,
    },
    {
      label: 'Best validation loss',
      value: format.loss(run.bestValidationLoss),
      detail:
        run.bestStep === null ? 'not validated yet' : `${unit}, step ${format.whole(run.bestStep)}`,
      ...otherUnits(run),
    },
    ...accuracyTile(run),
    {
      label: 'Training loss',
      value: format.loss(recent?.mean ?? run.lastTrainLoss),
      detail:
        recent === null || recent.over === 1
          ? `${unit}, last step`
          : `mean of the last ${format.plural(recent.over, 'step')}`,
    },
    {
      label: 'Speed',
      value: shown(speed, format.count),
      detail: `tokens per second${active ? '' : ', median'}`,
    },
    {
      label: 'Time per step',
      value: shown(perStep, format.milliseconds),
      detail:
        pace?.over == null
          ? 'median of the run'
          : `median of the last ${format.plural(pace.over, 'step')}`,
    },
    {
      label: 'Learning rate',
      value: shown(live?.last.learningRate ?? last?.learningRate, format.rate),
      detail: `peak ${format.rate(run.config.training.learningRate)}`,
    },
    {
      label: 'Peak tensor memory',
      value: shown(highest(run.peakTensorBytes, live?.last.tensorBytes), format.bytes),
      detail: `core process ${shown(highest(run.peakRssBytes, live?.last.rssBytes), format.bytes)}`,
    },
    {
      label: 'Training time',
      value: shown(live?.last.elapsedSeconds ?? last?.elapsedSeconds, format.duration),
      detail: pace !== null ? `${format.duration(pace.secondsLeft)} left` : timeDetail(run),
    },
  ];
}

/** A language model's best loss as perplexity, and as bits per byte where a token is a byte. */
function otherUnits(run: Run): Pick<Tile, 'more' | 'help'> {
  const { bestValidationLoss: loss } = run;
  if (loss === null || isClassifier(run)) return {};
  const perplexity = Math.exp(loss);
  const shown = `perplexity ${perplexity < 1000 ? perplexity.toFixed(2) : format.count(perplexity)}`;
  const bits = bitsPerByte(run, loss);
  if (bits === null) return { more: shown };
  return {
    more: `${shown}, ${format.bits(bits)} bits per byte`,
    help: 'Papers call bits per byte bits per character: one byte a character.',
  };
}

/** Of a classifier only: language models have no accuracy. */
function accuracyTile(run: Run): Tile[] {
  if (!isClassifier(run)) return [];
  const { bestAccuracy: best, lastAccuracy: last } = run;
  return [
    {
      label: 'Best validation accuracy',
      value: shown(best, format.percent),
      detail: last === null ? 'not validated yet' : `last ${format.percent(last)}`,
    },
  ];
}

function timeDetail({ status, tokens }: Run): string {
  if (status === 'running') return 'end not known yet';
  return isActive(status) ? 'waiting' : `${format.count(tokens)} tokens`;
}
