import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { followRun } from '../followRun.ts';
import { withCore } from '../session.ts';

/** `resume`: a stopped, interrupted or failed run goes on from its last checkpoint. */
export function resume(program: Command, context: () => Context): void {
  program
    .command('resume')
    .description('continue a run from its last checkpoint')
    .argument('<run>', 'name, id, or the beginning of an id')
    .action(async (run: string) => {
      process.exitCode = await withCore(context(), ({ client }) =>
        followRun(client, context(), () => client.call('runs.resume', { run })),
      );
    });
}
