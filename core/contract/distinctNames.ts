/** Names of runs where several are shown together. */
import type { Run } from './records.ts';

/** Names as given; runs that share one are told apart by their ids. */
export function distinctNames(runs: readonly Run[]): Map<string, string> {
  const uses = new Map<string, number>();
  for (const { name } of runs) uses.set(name, (uses.get(name) ?? 0) + 1);
  return new Map(
    runs.map(({ id, name }) => [id, (uses.get(name) ?? 0) > 1 ? `${name} (${id})` : name]),
  );
}
