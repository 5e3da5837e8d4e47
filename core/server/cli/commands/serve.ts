import type { Command } from 'commander';
import { buildIfStale } from '../building.ts';
import type { Context } from '../context.ts';
import { wholeNumber } from '../options.ts';
import { requirePort, serveUntilStopped, usualPort } from '../serving.ts';

/** `serve`: the app for a browser, without a desktop window; also through a tunnel. */
export function serve(program: Command, context: () => Context): void {
  program
    .command('serve')
    .description('serve the app on 127.0.0.1 for a browser')
    .option('--port <N>', `port (default: ${usualPort}, or any free one; 0: any)`, wholeNumber(0))
    .action(async ({ port }: { port?: number }) => {
      const { open } = program.opts<{ open: boolean }>();
      if (port !== undefined) requirePort(port);
      await buildIfStale(['renderer']);
      await serveUntilStopped(context(), { port, open });
    });
}
