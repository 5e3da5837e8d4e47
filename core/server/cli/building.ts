/** The page and the shell are built before they are served or started, where their sources are there. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SwitchyardError } from '../../contract/errors.ts';

const script = join(import.meta.dirname, '..', '..', '..', 'scripts', 'build.ts');

/**
 * Builds what is not up to date. Its messages go to stderr.
 * @throws SwitchyardError `internal` when that fails
 */
export async function buildIfStale(parts: readonly ('renderer' | 'electron')[]): Promise<void> {
  if (!existsSync(script)) return; // a packaged app comes built
  const child = spawn(process.execPath, [script, ...parts], { stdio: ['ignore', 2, 2] });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0)
    throw new SwitchyardError(
      'internal',
      `The app could not be built (${parts.join(', ')}); the messages above say why. "npm ci" puts the packages right.`,
    );
}
