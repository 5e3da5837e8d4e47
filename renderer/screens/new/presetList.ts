/** The presets to start from: those that fit the data, searched, in groups. */
import { architecture } from '../../../core/contract/architecture.ts';
import type { ModelConfig } from '../../../core/contract/config.ts';
import { paperDatasetTitles } from '../../../core/contract/paperPresets.ts';
import { presets, type Preset } from '../../../core/contract/presets.ts';
import type { Dataset } from '../../../core/contract/records.ts';
import { resolveConfig } from '../../../core/contract/resolveConfig.ts';

export type Task = ModelConfig['task'];

/** What can be trained on a dataset. */
export function taskOf({ tokenizer }: Pick<Dataset, 'tokenizer'>): Task {
  return tokenizer === 'listops' ? 'classification' : 'language-model';
}

export interface ListedPreset {
  preset: Preset;
  /** Its title up to the dataset, which its part of the list is headed by, and the rest of it. */
  title: string;
  rest: string;
  task: Task;
  /** The model in a few words. */
  words: string;
}

/** Presets of one group; the paper's are apart by what they were trained on. */
export interface PresetGroup {
  group: Preset['group'];
  parts: { title: string | null; presets: ListedPreset[] }[];
}

const listed: readonly ListedPreset[] = presets.map((preset) => {
  const { model } = resolveConfig(preset.config);
  const { title, dataset } = preset;
  const rest = dataset === undefined ? '' : `, ${paperDatasetTitles[dataset]}`;
  return {
    ...{ preset, title: title.slice(0, title.length - rest.length), rest },
    ...{ task: model.task, words: architecture(model) },
  };
});

/** The first preset for a task. */
export function firstFor(task: Task): Preset {
  return listed.find((each) => each.task === task)?.preset ?? presets[0];
}

/**
 * @param task what the chosen dataset is for; null without one
 * @param query words, all of which a preset must have in its name, title, model or dataset
 */
export function groupsOf(task: Task | null, query: string): PresetGroup[] {
  const fitting = listed.filter(
    (each) => (task === null || each.task === task) && fits(each, query),
  );
  return (['tiny', 'paper'] as const).flatMap((group) => {
    const members = fitting.filter(({ preset }) => preset.group === group);
    if (members.length === 0) return [];
    const titles = [...new Set(members.map(partTitle))];
    const parts = titles.map((title) => ({
      title,
      presets: members.filter((each) => partTitle(each) === title),
    }));
    return [{ group, parts }];
  });
}

function partTitle({ preset: { dataset } }: ListedPreset): string | null {
  return dataset === undefined ? null : paperDatasetTitles[dataset];
}

function fits({ preset, words }: ListedPreset, query: string): boolean {
  const { name, title, group, dataset = '' } = preset;
  const text = `${name} ${title} ${words} ${group} ${dataset}`.toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/u)
    .every((word) => text.includes(word));
}
