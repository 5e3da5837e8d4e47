import { buildIfStale } from '../building.ts';
import type { Context } from '../context.ts';
import { findElectron, runElectron } from '../electron.ts';
import { serveUntilStopped } from '../serving.ts';

/** Without a command: the desktop window, or where there can be none, the app for a browser. */
export async function app(context: Context, { open }: { open: boolean }): Promise<void> {
  const { out, home } = context;
  const electron = await findElectron((line) => out.note(line));
  if ('binary' in electron) {
    await buildIfStale(['renderer', 'electron']);
    process.exitCode = await runElectron(electron.binary, home);
    return;
  }
  await buildIfStale(['renderer']);
  out.line(electron.reason);
  await serveUntilStopped(context, { port: undefined, open });
}
