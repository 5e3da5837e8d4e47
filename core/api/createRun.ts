import { familyName } from '../contract/architecture.ts';
import type { PartialConfig, RunConfig } from '../contract/config.ts';
import { SwitchyardError } from '../contract/errors.ts';
import type { Input } from '../contract/protocol.ts';
import type { Dataset, Run } from '../contract/records.ts';
import { resolveConfig } from '../contract/resolveConfig.ts';
import { costOf, requireTrainable } from '../jobs/beforeRun.ts';
import { newRunId } from '../store/ids.ts';
import type { Context } from './context.ts';
import { launchRun } from './launchRun.ts';

/** Checks everything that can be checked before training, records the run and queues it. */
export async function createRun(context: Context, input: Input<'runs.create'>): Promise<Run> {
  const { store, bus, directory, devices, queue } = context;
  const resolved = resolveConfig(input.config);
  const dataset = store.datasets.find(input.dataset);
  const config = withDataOf(dataset, resolved, input.config);
  requireTrainable(config, dataset, directory.dataset(dataset.id));
  const cost = costOf(config, dataset.vocabulary);
  const backend = input.backend ?? (await devices.default());
  await devices.require(backend, config.training.precision);
  queue.requireOpen();

  const id = newRunId();
  const run = store.runs.create({
    id,
    name: input.name ?? `${familyName(config.model)}-${id.slice(-4)}`,
    config,
    datasetId: dataset.id,
    backend,
    parameters: cost.parameters.total,
    macs: cost.model.total.macs,
    attentionMacs: cost.layer.attention.macs,
    attentionFloats: cost.layer.attention.floats,
  });
  bus.emit({ type: 'run-changed', run });
  launchRun(context, run, { resume: false });
  return store.runs.get(id);
}

/**
 * The configuration with the dataset's own tokenizer and split: those were fixed by its import.
 * Whoever asks for others explicitly is told, rather than given something else.
 */
function withDataOf(dataset: Dataset, resolved: RunConfig, given: PartialConfig): RunConfig {
  for (const key of ['tokenizer', 'validationShare'] as const) {
    const wanted = given.data?.[key];
    if (wanted === undefined || wanted === dataset[key]) continue;
    throw new SwitchyardError(
      'invalid-config',
      `data.${key} is ${JSON.stringify(wanted)}, but dataset "${dataset.name}" was imported with ${JSON.stringify(dataset[key])}. Leave it out, or import the text again with ${JSON.stringify(wanted)}.`,
    );
  }
  const { tokenizer, validationShare } = dataset;
  return { ...resolved, data: { ...resolved.data, tokenizer, validationShare } };
}
