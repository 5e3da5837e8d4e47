/** A matched configuration beside its baseline, in the words of a table. */
import type { RunConfig } from '../../../core/contract/config.ts';
import * as format from '../../../core/contract/format.ts';
import type { Match, Resources } from '../../../core/contract/records.ts';
import { differences, fieldsOf, read, shownOf } from './configuration.ts';

export interface MatchedCost {
  label: string;
  baseline: string;
  matched: string;
  ratio: string;
}

/** The costs that families are compared by, of both. */
export function matchedCosts({ baseline, resources }: Match): MatchedCost[] {
  const row = (label: string, of: (from: Resources) => number): MatchedCost => ({
    label,
    baseline: format.count(of(baseline)),
    matched: format.count(of(resources)),
    ratio: of(resources) === of(baseline) ? '=' : format.ratio(of(resources), of(baseline)),
  });
  return [
    row('Parameters', ({ parameters }) => parameters.total),
    row('Attention MACs, one layer', ({ layer }) => layer.attention.macs),
    row('Attention floats, one layer', ({ layer }) => layer.attention.floats),
    row('Model MACs', ({ model }) => model.total.macs),
  ];
}

/** What could not be met, with its sign: `1,234 parameters more, 2.10M attention MACs a layer fewer`. */
export function unmatchedWords({ unmatched }: Match): string {
  const words = (value: number, what: string): string =>
    value === 0
      ? `exactly the ${what}`
      : `${format.count(Math.abs(value))} ${what} ${value > 0 ? 'more' : 'fewer'}`;
  return `${words(unmatched.parameters, 'parameters')}, ${words(unmatched.macs, 'attention MACs a layer')}`;
}

export interface Setting {
  label: string;
  from: string;
  to: string;
}

/** The settings that are not those of the baseline; a dash where one has no effect. */
export function changedSettings(baseline: RunConfig, matched: RunConfig): Setting[] {
  const changed = differences(baseline, matched);
  const [before, after] = [baseline, matched].map((config) => read(config, {}).shown);
  return (['model', 'training'] as const)
    .flatMap(fieldsOf)
    .filter(({ name }) => name in changed || (after.has(name) && !before.has(name)))
    .map((field) => ({
      label: field.field.label,
      from: before.has(field.name) ? shownOf(baseline, field) : '–',
      to: after.has(field.name) ? shownOf(matched, field) : '–',
    }));
}
