import type { Dataset, Run } from '../../../core/contract/records.ts';

/** The id of the dataset that was imported or trained on last; null where there is none. */
export function latestDataset(datasets: readonly Dataset[], runs: readonly Run[]): string | null {
  const uses = [
    ...datasets.map(({ id, createdAt }) => ({ id, createdAt })),
    ...runs.map(({ datasetId, createdAt }) => ({ id: datasetId, createdAt })),
  ];
  return uses.sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1)).at(0)?.id ?? null;
}
