import { closestMatch } from 'leven';
import { fields, type GroupName, type PartialConfig, type RunConfig } from './config.ts';
import { SwitchyardError } from './errors.ts';
import { isDecimal, type Field } from './fields.ts';

const groupNames = Object.keys(fields) as GroupName[];

/** Looks up a field by group and name. */
function fieldsOf(group: GroupName): Readonly<Record<string, Field>> {
  return fields[group];
}

/** All field names as `group.name`, in declaration order. */
export function fieldNames(): string[] {
  return groupNames.flatMap((group) => Object.keys(fields[group]).map((key) => `${group}.${key}`));
}

function unknownKey(key: string, known: readonly string[], what: string): SwitchyardError {
  // A field that was put into another group, or into none, needs no guess.
  const short = key.slice(key.indexOf('.') + 1);
  const misplaced = fieldNames().find((name) => name.split('.')[1] === short);
  if (misplaced !== undefined)
    return new SwitchyardError(
      'invalid-config',
      `Unknown ${what} "${key}": "${short}" is a field of the group ${misplaced.split('.')[0]}.`,
    );
  // Something unlike every known name gets no guess.
  const nearest = closestMatch(key, known, { maxDistance: Math.ceil(key.length / 2) });
  const hint = nearest === undefined ? '' : ` The nearest known one is "${nearest}".`;
  return new SwitchyardError('invalid-config', `Unknown ${what} "${key}".${hint}`);
}

/** The groups of what a person wrote, each an object; missing ones empty. Their keys are not checked. */
function groupsOf(partial: unknown): Record<GroupName, Readonly<Record<string, unknown>>> {
  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject(partial))
    throw new SwitchyardError(
      'invalid-config',
      `A configuration is an object with the groups ${groupNames.join(', ')}, not ${JSON.stringify(partial)}.`,
    );
  for (const key of Object.keys(partial)) {
    if (!(groupNames as string[]).includes(key))
      throw unknownKey(key, groupNames, 'configuration group');
  }
  const entries = groupNames.map((group) => {
    const { [group]: given = {} } = partial;
    if (!isObject(given))
      throw new SwitchyardError(
        'invalid-config',
        `${group} is ${JSON.stringify(given)}, but must be an object.`,
      );
    return [group, given] as const;
  });
  return Object.fromEntries(entries) as Record<GroupName, Record<string, unknown>>;
}

/** @param written the value as a person wrote it */
function checkValue(name: string, field: Field, value: unknown, written = inWords(value)): void {
  const fail = (right: string): never => {
    throw new SwitchyardError('invalid-config', `${name} is ${written}, but must be ${right}.`);
  };
  switch (field.type) {
    case 'integer':
      if (
        typeof value !== 'number' ||
        !Number.isInteger(value) ||
        value < field.min ||
        value > field.max
      )
        fail(`a whole number from ${field.min} to ${field.max}`);
      return;
    case 'number': {
      const low =
        field.exclusiveMin === true ? `greater than ${field.min}` : `at least ${field.min}`;
      if (
        typeof value !== 'number' ||
        !Number.isFinite(value) ||
        value > field.max ||
        value < field.min ||
        (field.exclusiveMin === true && value === field.min)
      )
        fail(`a number ${low} and at most ${field.max}`);
      return;
    }
    case 'choice':
      if (typeof value !== 'string' || !field.choices.includes(value))
        fail(`one of ${field.choices.map((c) => `"${c}"`).join(', ')}`);
      return;
    case 'text':
      if (typeof value !== 'string' || !new RegExp(field.pattern, 'u').test(value))
        fail(field.patternHelp);
  }
}

/** A value in a sentence. JSON would call a number that is not finite null. */
function inWords(value: unknown): string {
  if (typeof value !== 'number' || Number.isFinite(value)) return JSON.stringify(value);
  return `${value} (not a finite number)`;
}

/** Fields that are each usable, but not together. */
export interface CombinationProblem {
  /** The fields at fault, as `group.name`, the one to change first. */
  fields: readonly string[];
  /** Which constraint failed, with which values, and what would satisfy it. */
  message: string;
}

/** Every constraint between fields that a configuration does not keep. */
export function combinationProblems({ model }: RunConfig): CombinationProblem[] {
  const problems: CombinationProblem[] = [];
  if (model.attention === 'switchhead' && model.activeExperts > model.experts)
    problems.push({
      fields: ['model.activeExperts', 'model.experts'],
      message: `model.activeExperts (k) is ${model.activeExperts}, but a head has only ${model.experts} (model.experts, E); k must be at most E.`,
    });
  if (model.attention === 'moa' && model.heads > model.experts)
    problems.push({
      fields: ['model.heads', 'model.experts'],
      message: `model.heads (H) is ${model.heads}, but MoA chooses them from only ${model.experts} (model.experts, E); H must be at most E.`,
    });
  if (
    model.attention === 'switchhead' &&
    model.selection === 'shared' &&
    !(/[kv]/u.test(model.expertProjections) && /[qo]/u.test(model.expertProjections))
  )
    problems.push({
      fields: ['model.selection', 'model.expertProjections'],
      message: `model.selection is "shared", but only one side has experts (model.expertProjections is "${model.expertProjections}"): choose "separate", or add experts for ${/[kv]/u.test(model.expertProjections) ? 'Q or O' : 'K or V'}.`,
    });
  if (model.task === 'classification' && model.positions === 'xl')
    for (const field of ['memoryChunks', 'evaluationMemoryChunks'] as const)
      if (model[field] > 0)
        problems.push({
          fields: [`model.${field}`, 'model.task'],
          message: `model.${field} is ${model[field]}, but sequences to classify have no text before them: it must be 0 with model.task "classification".`,
        });
  if (
    model.feedForward === 'sigma-moe' &&
    model.feedForwardActiveExperts > model.feedForwardExperts
  )
    problems.push({
      fields: ['model.feedForwardActiveExperts', 'model.feedForwardExperts'],
      message: `model.feedForwardActiveExperts (k) is ${model.feedForwardActiveExperts}, but a layer has only ${model.feedForwardExperts} (model.feedForwardExperts); k must be at most that.`,
    });
  const rotated = Math.floor(model.headWidth / 2);
  if (model.positions === 'rope' && rotated % 2 !== 0)
    problems.push({
      fields: ['model.headWidth'],
      message: `model.headWidth (P) is ${model.headWidth}: RoPE would rotate floor(P/2) = ${rotated} channels, which must be an even number. ${model.headWidth - 2} and ${model.headWidth + 2} are valid.`,
    });
  return problems;
}

/**
 * A configuration as an earlier version stored it, with the default of every field that has come
 * since: defaults keep what there was before. Checks nothing.
 */
export function completeConfig(stored: RunConfig): RunConfig {
  const groups = groupNames.map((group) => {
    const defaults = Object.entries(fieldsOf(group)).map(
      ([key, field]) => [key, field.default] as const,
    );
    return [group, { ...Object.fromEntries(defaults), ...stored[group] }] as const;
  });
  return Object.fromEntries(groups) as RunConfig;
}

/**
 * Validates what a person wrote and fills in defaults. Nothing is repaired: the first unusable key,
 * value or combination throws a `SwitchyardError` of code `invalid-config`.
 */
export function resolveConfig(partial: unknown): RunConfig {
  const groups = groupsOf(partial);
  const resolved: Record<string, Record<string, unknown>> = {};
  for (const group of groupNames) {
    const given = groups[group];
    const declared = fieldsOf(group);
    for (const key of Object.keys(given)) {
      if (!Object.hasOwn(declared, key))
        throw unknownKey(`${group}.${key}`, fieldNames(), 'configuration key');
    }
    resolved[group] = Object.fromEntries(
      Object.entries(declared).map(([key, field]) => {
        const { [key]: value = field.default } = given;
        checkValue(`${group}.${key}`, field, value);
        return [key, value];
      }),
    );
  }
  const config = resolved as unknown as RunConfig;
  const [problem] = combinationProblems(config);
  if (problem !== undefined) throw new SwitchyardError('invalid-config', problem.message);
  return config;
}

/** A value as it was typed; numbers in decimal notation, also with an exponent. */
function readValue(name: string, field: Field, raw: string): unknown {
  if (field.type === 'choice' || field.type === 'text' || !isDecimal(raw)) {
    if (field.type === 'integer' || field.type === 'number') requireDecimal(name, raw);
    checkValue(name, field, raw);
    return raw;
  }
  const value = Number(raw);
  const written = Number.isFinite(value) ? inWords(value) : `${raw} (not a finite number)`;
  checkValue(name, field, value, written);
  return value;
}

function requireDecimal(name: string, raw: string): void {
  const value = Number(raw);
  if (raw === '' || !Number.isFinite(value)) return;
  throw new SwitchyardError(
    'invalid-config',
    `${name} is "${raw}", but must be in decimal notation: ${value}.`,
  );
}

/**
 * Applies `key=value` settings, as given on the command line, to a partial configuration. The key is
 * `group.name`, or `name` alone, which is enough because names are unique across groups.
 */
export function applySettings(partial: unknown, settings: readonly string[]): PartialConfig {
  const result: Record<string, Record<string, unknown>> = {};
  for (const [group, given] of Object.entries(groupsOf(partial))) {
    if (Object.keys(given).length > 0) result[group] = { ...given };
  }
  for (const setting of settings) {
    const equals = setting.indexOf('=');
    if (equals < 1)
      throw new SwitchyardError(
        'invalid-argument',
        `The setting "${setting}" is not of the form key=value, for example training.steps=1000.`,
      );
    const key = setting.slice(0, equals).trim();
    const raw = setting.slice(equals + 1).trim();
    const name = fieldNames().find((known) => known === key || known.split('.')[1] === key);
    if (name === undefined) {
      // A short name is compared with short names, lest its missing group decide what is nearest.
      const known = key.includes('.')
        ? fieldNames()
        : fieldNames().map((full) => full.split('.')[1]);
      throw unknownKey(key, known, 'configuration key');
    }
    const [group, field] = name.split('.') as [GroupName, string];
    const declared = fieldsOf(group)[field];
    (result[group] ??= {})[field] = readValue(name, declared, raw);
  }
  return result;
}
