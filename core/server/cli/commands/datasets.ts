import type { Command } from 'commander';
import { hint, type Context } from '../context.ts';
import * as format from '../../../contract/format.ts';
import { withCore } from '../session.ts';
import { table } from '../table.ts';

/** `datasets`: what has been imported. */
export function datasets(program: Command, context: () => Context): void {
  program
    .command('datasets')
    .description('list the imported datasets')
    .action(async () => {
      const { out } = context();
      const all = await withCore(context(), ({ client }) => client.call('datasets.list', {}));
      for (const dataset of all) out.record({ type: 'dataset', ...dataset });
      if (all.length === 0) {
        out.line(`No datasets yet. Import a text: ${hint(context(), 'import FILE')}`);
        return;
      }
      out.line(
        ...table(
          [
            { title: 'Dataset' },
            { title: 'Name' },
            { title: 'Tokenizer' },
            { title: 'Vocabulary', align: 'right', optional: true },
            { title: 'Training tokens', align: 'right' },
            { title: 'Validation tokens', align: 'right' },
            { title: 'Source', align: 'right', optional: true },
            { title: 'Imported', optional: true },
          ],
          all.map((dataset) => [
            dataset.id,
            dataset.name,
            dataset.tokenizer,
            format.whole(dataset.vocabulary),
            format.count(dataset.trainTokens),
            format.count(dataset.validationTokens),
            format.bytes(dataset.sourceBytes),
            format.instant(dataset.createdAt),
          ]),
          out.paint,
          out.columns,
        ),
      );
    });
}
