/** How a person names a run or a dataset: its id, its name, or the beginning of its id. */
import { SwitchyardError } from '../contract/errors.ts';

const listedAtMost = 8;

/** At most eight items, then how many more. */
export function shortList(items: readonly string[]): string {
  const more = items.length - listedAtMost;
  return items.slice(0, listedAtMost).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

export interface Lookup<T> {
  /** `run` or `dataset`. */
  what: string;
  /** Of ids: `r` or `d`. */
  prefix: string;
  byId: (id: string) => T | undefined;
  byName: (name: string) => T[];
  byIdPrefix: (prefix: string) => T[];
  /** A sentence that says how to see which ones there are. */
  howToList: () => string;
}

/**
 * The record that `reference` names: an exact id, else an exact name, else the beginning of exactly
 * one id, with or without its `r-` or `d-`. Throws `invalid-argument` if several fit and `not-found`
 * if none does.
 */
export function findByReference<T extends { id: string }>(lookup: Lookup<T>, reference: string): T {
  const { what, prefix } = lookup;
  const exact = lookup.byId(reference);
  if (exact !== undefined) return exact;

  const named = lookup.byName(reference);
  if (named.length === 1) return named[0];
  if (named.length > 1)
    throw new SwitchyardError(
      'invalid-argument',
      `${named.length} ${what}s are named "${reference}": ${shortList(named.map(({ id }) => id))}. Use an id instead.`,
    );

  const start = reference.startsWith(`${prefix}-`) ? reference : `${prefix}-${reference}`;
  const begun = start.length > 2 ? lookup.byIdPrefix(start) : [];
  if (begun.length === 1) return begun[0];
  if (begun.length > 1)
    throw new SwitchyardError(
      'invalid-argument',
      `"${reference}" is the beginning of ${begun.length} ${what} ids: ${shortList(begun.map(({ id }) => id))}. Add more characters.`,
    );
  throw new SwitchyardError(
    'not-found',
    `There is no ${what} "${reference}". ${lookup.howToList()}`,
  );
}
