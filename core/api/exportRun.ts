import { rmdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Input, Output } from '../contract/protocol.ts';
import { chooseCheckpoint } from './chooseCheckpoint.ts';
import type { Context } from './context.ts';
import { newExportFolder, slug } from './exportNames.ts';

/** Writes one of the run's checkpoints to a new folder, for other tools; by default one in `exports/`. */
export async function exportRun(
  context: Context,
  input: Input<'runs.export'>,
): Promise<Output<'runs.export'>> {
  const { store, directory, jobs } = context;
  const run = store.runs.find(input.run);
  const { folder, step } = chooseCheckpoint(context, run, input.checkpoint);
  const { id, name, sourceSha256, tokenizer } = store.datasets.get(run.datasetId);
  const reserved =
    input.out === undefined
      ? await newExportFolder(directory.exports, `${slug(run)}-step-${step}`)
      : null;
  const out = reserved ?? resolve(input.out ?? '');
  const task = {
    checkpoints: directory.checkpoints(run.id),
    folder,
    tokenizerFile: join(directory.dataset(id), 'tokenizer.json'),
    out,
    provenance: {
      run: { id: run.id, name: run.name },
      dataset: { id, name, sourceSha256, tokenizer },
      backend: run.backend,
      device: run.device,
      versions: { switchyard: context.version, node: process.versions.node },
    },
  };
  try {
    return { folder: out, ...(await jobs.run('exporter', task)) };
  } catch (error) {
    if (reserved !== null) await rmdir(reserved).catch(() => undefined); // empty, or gone already
    throw error;
  }
}
