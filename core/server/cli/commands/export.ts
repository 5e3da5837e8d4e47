import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import type { Context } from '../context.ts';
import { usageError } from '../failures.ts';
import * as format from '../../../contract/format.ts';
import { notEmpty } from '../options.ts';
import { withCore } from '../session.ts';
import { checkpointOption } from './sample.ts';

interface Options {
  format: 'safetensors' | 'csv';
  out: string;
  checkpoint?: 'best' | 'last';
}

/** `export`: a checkpoint, or the recorded points of runs, leave for other tools. */
export function exportCommand(program: Command, context: () => Context): void {
  program
    .command('export')
    .description('write a checkpoint, or the points of runs, for other tools')
    .argument('<run...>', 'name, id, or the beginning of an id; several only for csv')
    .addOption(
      new Option('--format <F>', 'safetensors: a checkpoint; csv: every step and validation')
        .choices(['safetensors', 'csv'])
        .makeOptionMandatory(),
    )
    .requiredOption('--out <PATH>', 'new folder (safetensors) or file (csv) to write', notEmpty)
    .addOption(checkpointOption())
    .action(async (runs: string[], options: Options) => {
      if (options.format === 'csv') await exportCsv(context(), runs, options);
      else await exportWeights(context(), runs, options);
    });
}

async function exportWeights(context: Context, runs: string[], options: Options): Promise<void> {
  const [run] = runs;
  if (runs.length > 1)
    throw usageError(
      `--format safetensors exports one run, but ${runs.length} are given; export them one by one.`,
    );
  const { out, checkpoint } = options;
  const result = await withCore(context, ({ client }) =>
    client.call('runs.export', {
      run,
      format: 'safetensors',
      out: resolve(out),
      ...(checkpoint === undefined ? {} : { checkpoint }),
    }),
  );
  context.out.record({ type: 'export', ...result });
  context.out.line(
    `Exported step ${format.whole(result.step)} to ${result.folder}:`,
    ...result.files.map((file) => `  ${file}`),
  );
}

async function exportCsv(context: Context, runs: string[], options: Options): Promise<void> {
  if (options.checkpoint !== undefined)
    throw usageError('--checkpoint chooses weights; --format csv exports steps and validations.');
  const result = await withCore(context, ({ client }) =>
    client.call('runs.exportPoints', { runs, out: resolve(options.out) }),
  );
  context.out.record({ type: 'export', ...result });
  context.out.line(
    `Exported ${format.plural(result.rows, 'row')} (${format.bytes(result.bytes)}) to ${result.file}.`,
  );
}
