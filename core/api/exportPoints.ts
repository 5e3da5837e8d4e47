import { resolve } from 'node:path';
import { SwitchyardError } from '../contract/errors.ts';
import type { Input, Output } from '../contract/protocol.ts';
import type { Run } from '../contract/records.ts';
import { reserveFile, writePoints, type PointBlock } from '../jobs/writePoints.ts';
import type { Context } from './context.ts';
import { newExportFile, slug } from './exportNames.ts';

/** Steps that are read and written at a time. */
const blockSteps = 5000;

/** Writes all recorded steps and validations of runs to a new CSV file, by default one in `exports/`. */
export async function exportPoints(
  context: Context,
  { runs: references, out }: Input<'runs.exportPoints'>,
): Promise<Output<'runs.exportPoints'>> {
  const { store, directory } = context;
  const runs = references.map((reference) => store.runs.find(reference));
  requireDistinct(runs);
  const name = runs.length === 1 ? slug(runs[0]) : `${runs.length}-runs`;
  const file =
    out === undefined ? await newExportFile(directory.exports, name, '.csv') : resolve(out);
  if (out !== undefined) await reserveFile(file);
  return { file, ...(await writePoints(file, blocksOf(context, runs))) };
}

function requireDistinct(runs: readonly Run[]): void {
  const twice = runs.find(({ id }, index) => runs.findIndex((run) => run.id === id) !== index);
  if (twice === undefined) return;
  throw new SwitchyardError(
    'invalid-argument',
    `runs.exportPoints: runs names run ${twice.id} ("${twice.name}") more than once, but each run may be given once.`,
  );
}

/** The histories of runs, one after the other, in blocks. */
function* blocksOf({ store }: Context, runs: readonly Run[]): Generator<PointBlock> {
  for (const run of runs) {
    for (let after = -1, more = true; more;) {
      const block = store.metrics.readBlock(run.id, after, blockSteps);
      yield { run, ...block };
      after = block.steps.at(-1)?.step ?? after;
      more = block.steps.length === blockSteps;
    }
  }
}
