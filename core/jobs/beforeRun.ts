/** What can be known of a run before it trains. */
import type { RunConfig } from '../contract/config.ts';
import type { Dataset, Resources } from '../contract/records.ts';
import { requireSequences } from '../data/batches.ts';
import { computeResources } from '../model/resources.ts';
import { requireDatasetFiles } from './datasetFiles.ts';

/** Parameters and analytic costs of a configuration on a vocabulary of that size. */
export function costOf({ model }: RunConfig, vocabulary: number): Resources {
  return computeResources(model, vocabulary);
}

/**
 * @param folder the dataset's
 * @throws SwitchyardError `invalid-data` when a part is shorter than one sequence, or files are missing
 */
export function requireTrainable({ model }: RunConfig, dataset: Dataset, folder: string): void {
  requireSequences(dataset, model.context);
  requireDatasetFiles(folder, dataset);
}
