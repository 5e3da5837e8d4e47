import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Input, Output } from '../contract/protocol.ts';
import { chooseCheckpoint } from './chooseCheckpoint.ts';
import type { Context } from './context.ts';

/** Writes one of the run's checkpoints to a new folder, for other tools. */
export async function exportRun(
  context: Context,
  input: Input<'runs.export'>,
): Promise<Output<'runs.export'>> {
  const { store, directory, jobs } = context;
  const run = store.runs.find(input.run);
  const { folder } = chooseCheckpoint(context, run, input.checkpoint);
  const { id, name, sourceSha256, tokenizer } = store.datasets.get(run.datasetId);
  const out = resolve(input.out);
  const result = await jobs.run('exporter', {
    checkpoints: directory.checkpoints(run.id),
    folder,
    tokenizerFile: join(directory.dataset(id), 'tokenizer.json'),
    out,
    provenance: {
      run: { id: run.id, name: run.name },
      dataset: { id, name, sourceSha256, tokenizer },
      backend: run.backend,
      device: run.device,
      versions: { switchyard: ownVersion(), node: process.versions.node },
    },
  });
  return { folder: out, ...result };
}

function ownVersion(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
