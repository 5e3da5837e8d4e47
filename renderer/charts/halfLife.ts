/** How much curves are smoothed: a half-life in steps, chosen on a slider of round values. */
import * as format from '../../core/contract/format.ts';
import { niceStep } from './scale.ts';

/** About one percent of a run, as a round number of steps; 0 while a run is too short to need it. */
export function automaticHalfLife(length: number): number {
  return length < 20 ? 0 : Math.max(1, niceStep({ low: 0, high: length * 0.75 }, 100));
}

/** What the slider offers for runs of that many steps: nothing, then 1, 2, 5, … up to a fifth of them. */
export function halfLives(lastStep: number): number[] {
  const choices = [0];
  for (let power = 1; choices[choices.length - 1] < lastStep / 5; power *= 10)
    choices.push(...[1, 2, 5].map((factor) => factor * power));
  return choices.filter((choice) => choice <= Math.max(10, lastStep / 4));
}

/** Half-lives of several curves: `5 steps`, `5 to 500 steps`, or `off`. */
export function halfLifeWords(chosen: readonly number[]): string {
  const least = Math.min(...chosen);
  const most = Math.max(...chosen);
  if (!(most > 0)) return 'off';
  return least === most
    ? format.plural(most, 'step')
    : `${format.whole(least)} to ${format.plural(most, 'step')}`;
}
