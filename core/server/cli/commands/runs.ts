import type { Command } from 'commander';
import { architecture } from '../../../contract/architecture.ts';
import type { Run } from '../../../contract/records.ts';
import { bestBits, lossUnit } from '../comparison.ts';
import { hint, type Context } from '../context.ts';
import * as format from '../../../contract/format.ts';
import { withCore } from '../session.ts';
import { table } from '../table.ts';

/** `runs`: every run, newest as the core orders them. */
export function runs(program: Command, context: () => Context): void {
  program
    .command('runs')
    .description('list the runs')
    .action(async () => {
      const { out } = context();
      const all = await withCore(context(), ({ client }) => client.call('runs.list', {}));
      for (const run of all) out.record({ type: 'run', ...run });
      if (all.length === 0) {
        out.line(`No runs yet. Start one: ${hint(context(), 'train tiny-switchhead --data FILE')}`);
        return;
      }
      const classified = all.some(({ bestAccuracy }) => bestAccuracy !== null);
      const onBytes = all.some((run) => bestBits(run) !== null);
      out.line(
        ...table(
          [
            { title: 'Run' },
            { title: 'Name' },
            { title: 'Architecture', optional: true },
            { title: 'Status' },
            { title: 'Steps', align: 'right' },
            { title: `Best validation (${lossUnit(all)})`, align: 'right' },
            ...(onBytes
              ? [{ title: 'Bits per byte', align: 'right', optional: true } as const]
              : []),
            ...(classified ? [{ title: 'Best accuracy', align: 'right' } as const] : []),
            { title: 'Backend', optional: true },
            { title: 'Created', optional: true },
          ],
          all.map((run) => [
            run.id,
            run.name,
            architecture(run.config.model),
            run.status,
            `${format.whole(run.step)}/${format.whole(run.config.training.steps)}`,
            format.loss(run.bestValidationLoss),
            ...(onBytes ? [bits(run)] : []),
            ...(classified
              ? [run.bestAccuracy === null ? '–' : format.percent(run.bestAccuracy)]
              : []),
            run.backend,
            format.instant(run.createdAt),
          ]),
          out.paint,
          out.columns,
        ),
      );
    });
}

function bits(run: Run): string {
  const value = bestBits(run);
  return value === null ? '–' : format.bits(value);
}
