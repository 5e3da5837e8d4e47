/**
 * What a person has typed into the form, read as a configuration. The typed text is what is kept; it
 * is only ever read, never rewritten, so that a mistake stays visible where it was made.
 */
import {
  fields,
  type GroupName,
  type PartialConfig,
  type RunConfig,
} from '../../../core/contract/config.ts';
import { SwitchyardError } from '../../../core/contract/errors.ts';
import * as format from '../../../core/contract/format.ts';
import type { Field } from '../../../core/contract/fields.ts';
import type { Dataset } from '../../../core/contract/records.ts';
import {
  applySettings,
  combinationProblems,
  resolveConfig,
} from '../../../core/contract/resolveConfig.ts';

/** The groups that a person sets; `data` is fixed by the dataset. */
export const settableGroups = ['model', 'training'] as const;
export type SettableGroup = (typeof settableGroups)[number];

/** A field's declaration with its names. */
export interface NamedField {
  /** `model.width` */
  name: string;
  group: GroupName;
  key: string;
  field: Field;
}

/** All fields of a group, in declaration order. */
export function fieldsOf(group: GroupName): NamedField[] {
  return Object.entries<Field>(fields[group]).map(([key, field]) => ({
    ...{ name: `${group}.${key}`, group, key, field },
  }));
}

/** Fields that belong together, under the label of the field on which they hang; null under none. */
export interface FieldSection {
  title: string | null;
  fields: NamedField[];
}

/** A group's fields by what they hang on, those that hang on nothing first. */
export function sectionsOf(group: GroupName): FieldSection[] {
  const all = fieldsOf(group);
  const titleOf = ({ field }: NamedField): string | null => {
    const [deciding] = Object.keys(field.when ?? {});
    return all.find(({ key }) => key === deciding)?.field.label ?? null;
  };
  const titles = [...new Set([null, ...all.map((each) => each.field.label)])];
  return titles
    .map((title) => ({ title, fields: all.filter((each) => titleOf(each) === title) }))
    .filter((section) => section.fields.length > 0);
}

const settable = settableGroups.flatMap(fieldsOf);

/** Typed texts by field name; fields that are not in it are as in the configuration started from. */
export type Texts = Readonly<Record<string, string>>;

/** A value as it stands in a control: exact, and what reading it gives back. */
export function textOf(config: RunConfig, { group, key }: NamedField): string {
  return String((config[group] as Readonly<Record<string, unknown>>)[key]);
}

/** A value to look at: grouped, and without the noise of its last digits. */
export function shownOf(config: RunConfig, { group, key }: NamedField): string {
  return format.setting((config[group] as Readonly<Record<string, string | number>>)[key]);
}

/** The texts of all fields in which a configuration differs from the one started from. */
export function differences(base: RunConfig, config: RunConfig): Texts {
  const changed = settable.filter((field) => textOf(config, field) !== textOf(base, field));
  return Object.fromEntries(changed.map((field) => [field.name, textOf(config, field)]));
}

export interface Reading {
  /** Null while something is not usable. Without the data group, which belongs to the dataset. */
  config: RunConfig | null;
  /** Sentences by field name: of values, and of combinations at the first field they name. */
  errors: Readonly<Record<string, string>>;
  /** Sentences by field name: what is usable, but hardly meant. */
  warnings: Readonly<Record<string, string>>;
  /** Names of the fields with an effect. */
  shown: ReadonlySet<string>;
  /** Names of the shown fields whose value is not that of the configuration started from. */
  changed: readonly string[];
}

/**
 * Reads the form. Fields that have no effect keep the value they started with, whatever their text
 * says, because nobody sees it.
 */
export function read(base: RunConfig, texts: Texts): Reading {
  const shown = new Set(settable.filter((each) => hasEffect(base, texts, each)).map(nameOf));
  const errors: Record<string, string> = {};
  const values: Record<SettableGroup, Record<string, unknown>> = {
    model: { ...base.model },
    training: { ...base.training },
  };
  const changed: string[] = [];
  for (const field of settable) {
    const { name, key } = field;
    const text = texts[name];
    if (text === undefined || !shown.has(name)) continue;
    const group = field.group as SettableGroup;
    try {
      const value = valueOf(field, text);
      if (value !== values[group][key]) changed.push(name);
      values[group][key] = value;
    } catch (error) {
      errors[name] = sentenceOf(error);
      changed.push(name);
    }
  }
  // Where a field is not usable, its value is the one started from, which says nothing of the others.
  const unusable = new Set(Object.keys(errors));
  const whole = { ...base, ...values } as RunConfig;
  for (const {
    fields: [first = '', ...others],
    message,
  } of combinationProblems(whole)) {
    if ([first, ...others].some((name) => unusable.has(name))) continue;
    errors[first] = withLabels(message);
  }
  const warnings = warningsOf(whole, unusable);
  const config = Object.keys(errors).length > 0 ? null : resolveConfig(values);
  return { config, errors, warnings, shown, changed };
}

/** What can be trained with, but is hardly meant. */
function warningsOf({ training }: RunConfig, unusable: ReadonlySet<string>): Reading['warnings'] {
  const { steps, warmup } = training;
  if (warmup <= steps || ['training.steps', 'training.warmup'].some((name) => unusable.has(name)))
    return {};
  return {
    'training.warmup': `Longer than the run of ${format.plural(steps, 'step')}: the learning rate never reaches its peak.`,
  };
}

const nameOf = ({ name }: NamedField): string => name;

function valueOf({ name, group, key }: NamedField, text: string): unknown {
  const read = applySettings({}, [`${name}=${text}`]) as Record<string, Record<string, unknown>>;
  return read[group][key];
}

function sentenceOf(error: unknown): string {
  if (!(error instanceof SwitchyardError)) throw error;
  return withLabels(error.message);
}

/** The contract's sentence with every field as the form calls it, whose labels have the symbols. */
function withLabels(message: string): string {
  return message.replace(/\b(?:model|training)\.\w+(?: \(\w\)|, \w\b)?/gu, (named) => {
    const name = /^[\w.]+/u.exec(named)?.[0];
    return settable.find((each) => each.name === name)?.field.label ?? named;
  });
}

function hasEffect(base: RunConfig, texts: Texts, { group, field }: NamedField): boolean {
  return Object.entries(field.when ?? {}).every(([key, values]) => {
    const deciding = fieldsOf(group).find((other) => other.key === key);
    if (deciding === undefined) return true;
    return values.map(String).includes(texts[deciding.name] ?? textOf(base, deciding));
  });
}

/** What to type to give a model another task: a classifier has no text before its sequence. */
export function otherTask(task: RunConfig['model']['task']): Texts {
  return {
    'model.task': task,
    ...(task === 'classification' ? { 'model.memoryChunks': '0' } : {}),
  };
}

/** What goes to the core and into JSON: everything but the fields that the dataset fixes. */
export function withoutData({ model, training }: RunConfig): PartialConfig {
  return { model, training };
}

/** A configuration in the form that the command line takes. */
export function toJson(config: RunConfig, dataset: Dataset | undefined): string {
  const { tokenizer, validationShare } = dataset ?? config.data;
  return JSON.stringify({ ...config, data: { tokenizer, validationShare } }, null, 2);
}

/**
 * Reads a configuration that somebody pasted. Missing fields take their defaults, as on the command
 * line.
 * @throws SwitchyardError what is wrong with it, also when it is for data in another form
 */
export function fromJson(text: string, dataset: Dataset | undefined): RunConfig {
  const parsed = parse(text);
  const config = resolveConfig(parsed);
  const { data } = parsed as PartialConfig;
  for (const key of ['tokenizer', 'validationShare'] as const) {
    const wanted = data?.[key];
    if (dataset === undefined || wanted === undefined || wanted === dataset[key]) continue;
    throw new SwitchyardError(
      'invalid-config',
      `data.${key} is ${JSON.stringify(wanted)}, but the dataset “${dataset.name}” was imported with ${JSON.stringify(dataset[key])}. Choose a dataset that was imported that way, or leave data.${key} out.`,
    );
  }
  return config;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new SwitchyardError(
      'invalid-config',
      `This is not JSON: ${error instanceof Error ? error.message : String(error)}. It should be like {"model": {…}, "training": {…}}.`,
    );
  }
}
