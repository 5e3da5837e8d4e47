/** What can be known of a run before it trains. */
import type { RunConfig } from '../contract/config.ts';
import type { Dataset, Match, Resources } from '../contract/records.ts';
import { requireSequences } from '../data/batches.ts';
import { matchModel, type MatchRequest } from '../model/match.ts';
import { computeResources } from '../model/resources.ts';
import { trainingRows } from '../train/batchSource.ts';
import { requireDatasetFiles } from './datasetFiles.ts';
import { requireExamples, requireTaskOfData } from './requireExamples.ts';

/** Parameters and analytic costs of a configuration on a vocabulary of that size. */
export function costOf({ model }: RunConfig, vocabulary: number): Resources {
  return computeResources(model, vocabulary);
}

/** A configuration that costs what a baseline costs. */
export function matchOf(request: MatchRequest): Match {
  return matchModel(request);
}

/**
 * @param folder the dataset's
 * @throws SwitchyardError `invalid-config` when model and dataset are for different tasks,
 *   `invalid-data` when a part is shorter than one sequence, has no example or one that does not fit,
 *   or when files are missing
 */
export function requireTrainable(config: RunConfig, dataset: Dataset, folder: string): void {
  const { model } = config;
  requireTaskOfData(model, dataset);
  if (model.task === 'language-model')
    requireSequences(dataset, model.context, trainingRows(config));
  requireDatasetFiles(folder, dataset);
  if (model.task === 'classification') requireExamples(model, dataset, folder);
}
