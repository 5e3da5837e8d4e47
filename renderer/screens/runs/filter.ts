/** Which runs the list shows, and in which order. */
import { architecture } from '../../../core/contract/architecture.ts';
import { isActive, runStatuses, type Run, type RunStatus } from '../../../core/contract/records.ts';

export const sorts = {
  created: 'Newest first',
  name: 'Name',
  loss: 'Best validation loss',
  status: 'Status',
} as const;
export type Sort = keyof typeof sorts;
export const sortKeys = Object.keys(sorts) as Sort[];

export interface ListFilter {
  /** Every word must occur in name, id, tags, note or architecture. */
  text: string;
  status: RunStatus | 'any' | 'active';
  /** Empty for any. */
  tag: string;
  sort: Sort;
}

export const everything: ListFilter = { text: '', status: 'any', tag: '', sort: 'created' };

/** @param all newest first */
export function listRuns(all: readonly Run[], { text, status, tag, sort }: ListFilter): Run[] {
  const words = text.toLowerCase().split(/\s+/u).filter(Boolean);
  return all
    .filter(
      (run) =>
        status === 'any' || (status === 'active' ? isActive(run.status) : run.status === status),
    )
    .filter(({ tags }) => tag === '' || tags.includes(tag))
    .filter((run) => words.length === 0 || matches(run, words))
    .sort(order[sort]);
}

function matches({ name, id, tags, note, config }: Run, words: readonly string[]): boolean {
  const hay = [name, id, ...tags, note, architecture(config.model)].join('\n').toLowerCase();
  return words.every((word) => hay.includes(word));
}

const names = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

/** Equal ones stay newest first. */
const order: Record<Sort, (a: Run, b: Run) => number> = {
  created: () => 0,
  name: (a, b) => names.compare(a.name, b.name),
  loss: (a, b) =>
    (a.bestValidationLoss ?? Number.MAX_VALUE) - (b.bestValidationLoss ?? Number.MAX_VALUE),
  status: (a, b) => rank(a) - rank(b),
};

/** What is at work comes first, in the order of `runStatuses` otherwise. */
const rank = ({ status }: Run): number => (status === 'running' ? -1 : runStatuses.indexOf(status));

/** All tags in use, most used first. */
export function tagsOf(all: readonly Run[]): string[] {
  const uses = new Map<string, number>();
  for (const { tags } of all) for (const tag of tags) uses.set(tag, (uses.get(tag) ?? 0) + 1);
  return [...uses].sort((a, b) => b[1] - a[1] || names.compare(a[0], b[0])).map(([tag]) => tag);
}
