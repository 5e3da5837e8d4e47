/** What takes space in the data directory, by kind. */
import type { DiskUsage } from '../../../core/contract/records.ts';

export interface SpacePart {
  kind: 'runs' | 'datasets' | 'exports' | 'database' | 'logs';
  label: string;
  bytes: number;
}

const sum = (list: readonly { bytes: number }[]): number =>
  list.reduce((total, { bytes }) => total + bytes, 0);

/** In a fixed order, so that a part keeps its place when another one shrinks. */
export function spaceParts({ runs, datasets, exports, database, logs }: DiskUsage): SpacePart[] {
  return [
    { kind: 'runs', label: 'Runs’ checkpoints', bytes: sum(runs) },
    { kind: 'datasets', label: 'Datasets', bytes: sum(datasets) },
    { kind: 'exports', label: 'Exports', bytes: sum(exports) },
    { kind: 'database', label: 'Database', bytes: database },
    { kind: 'logs', label: 'Logs', bytes: logs },
  ];
}

/** A folder of the data directory, and what the page knows of what is in it. */
export interface Sized<T> {
  id: string;
  bytes: number;
  record: T | undefined;
}

/** Largest first, with what the page knows of each; folders that it knows nothing of come along. */
export function bySize<T>(
  sizes: readonly { id: string; bytes: number }[],
  get: (id: string) => T | undefined,
): Sized<T>[] {
  return sizes
    .map(({ id, bytes }) => ({ id, bytes, record: get(id) }))
    .sort((a, b) => b.bytes - a.bytes);
}
