import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { usageError } from '../failures.ts';
import { describe, importFile } from '../importing.ts';
import { decimal, notEmpty } from '../options.ts';
import { oneLine } from '../table.ts';
import { withCore } from '../session.ts';

interface Options {
  name?: string;
  tokenizer?: string;
  validationShare?: number;
}

/** `import`: texts become datasets. */
export function importCommand(program: Command, context: () => Context): void {
  program
    .command('import')
    .description('import UTF-8 text files as datasets')
    .argument('<file...>', 'text files, or .tsv files of ListOps examples; each becomes a dataset')
    .option('--name <N>', 'name of the dataset (default: the name of the file)', notEmpty)
    .option('--tokenizer <T>', 'byte, bpe:N to train a byte-pair encoding of N entries, or listops')
    .option('--validation-share <S>', 'last part kept for validation (default: 0.1)', decimal(0))
    .action(async (files: string[], options: Options) => {
      if (files.length > 1 && options.name !== undefined)
        throw usageError(
          `--name names one dataset, but ${files.length} files are given; import them one by one.`,
        );
      const { out } = context();
      await withCore(context(), async ({ client }) => {
        for (const file of files) {
          const dataset = await importFile(client, context(), { path: resolve(file), ...options });
          out.record({ type: 'dataset', ...dataset });
          out.line(describe(dataset));
          if (options.name !== undefined && options.name !== dataset.name)
            out.note(
              `This text was imported before, as "${oneLine(dataset.name)}"; the name stays as it is.`,
            );
        }
      });
    });
}
