import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import type { Context } from '../context.ts';
import * as format from '../format.ts';
import { notEmpty } from '../options.ts';
import { withCore } from '../session.ts';
import { checkpointOption } from './sample.ts';

interface Options {
  format: 'safetensors';
  out: string;
  checkpoint?: 'best' | 'last';
}

/** `export`: a checkpoint leaves for other tools. */
export function exportCommand(program: Command, context: () => Context): void {
  program
    .command('export')
    .description('write a checkpoint for other tools')
    .argument('<run>', 'name, id, or the beginning of an id')
    .addOption(
      new Option('--format <F>', 'file format').choices(['safetensors']).makeOptionMandatory(),
    )
    .requiredOption('--out <DIR>', 'new folder to write into', notEmpty)
    .addOption(checkpointOption())
    .action(async (run: string, options: Options) => {
      const { out } = context();
      const result = await withCore(context(), ({ client }) =>
        client.call('runs.export', { run, ...options, out: resolve(options.out) }),
      );
      out.record({ type: 'export', ...result });
      out.line(
        `Exported step ${format.whole(result.step)} to ${result.folder}:`,
        ...result.files.map((file) => `  ${file}`),
      );
    });
}
