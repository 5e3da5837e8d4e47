/**
 * Arguments arrive here from programs and over sockets, so their types are checked once, at this
 * boundary. Every message names the method, the argument, its value, and what would be right.
 */
import { closestMatch } from 'leven';
import type { Input, MethodName } from '../contract/protocol.ts';
import { SwitchyardError } from '../contract/errors.ts';

/** Returns the value if it is right, else throws; `name` is for the message. */
export type Check<V> = (value: unknown, name: string) => V;
export type Checks<T> = { readonly [K in keyof T]-?: Check<T[K]> };

function wrong(name: string, value: unknown, right: string): SwitchyardError {
  const what = value === undefined ? 'missing' : JSON.stringify(value);
  return new SwitchyardError('invalid-argument', `${name} is ${what}, but must be ${right}.`);
}

/** Text that is not empty, of at most `longest` characters. */
export function text(longest = 4096): Check<string> {
  return (value, name) => {
    if (typeof value !== 'string' || value === '') throw wrong(name, value, 'text');
    if (value.length > longest)
      throw new SwitchyardError(
        'invalid-argument',
        `${name} has ${value.length} characters, but may have at most ${longest}.`,
      );
    return value;
  };
}

export function number(min: number, max: number): Check<number> {
  return (value, name) => {
    if (typeof value !== 'number' || !(value >= min && value <= max))
      throw wrong(name, value, `a number from ${min} to ${max}`);
    return value;
  };
}

export function numberAbove(min: number, max: number): Check<number> {
  return (value, name) => {
    if (typeof value !== 'number' || !(value > min && value <= max))
      throw wrong(name, value, `a number greater than ${min} and at most ${max}`);
    return value;
  };
}

export function wholeNumber(min: number, max: number): Check<number> {
  return (value, name) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max)
      throw wrong(name, value, `a whole number from ${min} to ${max}`);
    return value;
  };
}

export function oneOf<const C extends string>(choices: readonly C[]): Check<C> {
  return (value, name) => {
    const found = choices.find((choice) => choice === value);
    if (found === undefined)
      throw wrong(name, value, `one of ${choices.map((choice) => `"${choice}"`).join(', ')}`);
    return found;
  };
}

/** A list of `min` to `max` items, each checked by `check`. */
export function list<V>(check: Check<V>, min: number, max: number): Check<V[]> {
  return (value, name) => {
    if (!Array.isArray(value) || value.length < min || value.length > max)
      throw wrong(
        name,
        Array.isArray(value) ? `a list of ${value.length} items` : value,
        `a list of ${min} to ${max} items`,
      );
    return value.map((item: unknown, index) => check(item, `${name}[${index}]`));
  };
}

/** Text that may be empty or have several lines. */
export function longText(longest: number): Check<string> {
  return (value, name) => (value === '' ? '' : text(longest)(value, name));
}

/** Text that people see in a list: not empty, no white space around it, no control characters. */
export function label(longest: number): Check<string> {
  return (value, name) => {
    const checked = text(longest)(value, name);
    if (checked.trim() !== checked)
      throw wrong(name, value, 'text without white space before or after it');
    if (/\p{Cc}/u.test(checked)) throw wrong(name, value, 'text on one line');
    return checked;
  };
}

/** A path of this machine. Whether something is there is for whoever uses it to say. */
export function path(): Check<string> {
  return (value, name) => {
    const checked = text()(value, name);
    if (checked.includes('\0')) throw wrong(name, value, 'a path, which has no NUL character');
    return checked;
  };
}

export function yesOrNo(): Check<boolean> {
  return (value, name) => {
    if (typeof value !== 'boolean') throw wrong(name, value, 'true or false');
    return value;
  };
}

/** Any object; what is inside is checked by whoever reads it. */
export function object<T extends object>(): Check<T> {
  return (value, name) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw wrong(name, value, 'an object');
    return value as T;
  };
}

export function optional<V>(check: Check<V>): Check<V | undefined> {
  return (value, name) => (value === undefined ? undefined : check(value, name));
}

/** The input of a method, checked. Unknown arguments are refused: they are misspelt ones. */
export function checkInput<M extends MethodName>(
  method: M,
  checks: Checks<Input<M>>,
  input: unknown,
): Input<M> {
  const given = object<Record<string, unknown>>()(input ?? {}, `The input of ${method}`);
  const known = Object.keys(checks);
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    const nearest = closestMatch(name, known);
    const hint =
      nearest === undefined ? 'It takes none.' : `The nearest known one is "${nearest}".`;
    throw new SwitchyardError('invalid-argument', `${method} has no argument "${name}". ${hint}`);
  }
  const checked = Object.entries<Check<unknown>>(checks)
    .map(([name, check]) => [name, check(given[name], `${method}: ${name}`)] as const)
    .filter(([, value]) => value !== undefined);
  return Object.fromEntries(checked);
}
