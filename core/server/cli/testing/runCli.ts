/** Runs the real command line on this Node, in a data directory of its own. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const entry = fileURLToPath(new URL('../main.ts', import.meta.url));

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

export class CliUnderTest {
  readonly folder = mkdtempSync(join(tmpdir(), 'switchyard-cli-'));
  readonly home = join(this.folder, 'home');

  /** Starts a command without waiting; its output is collected by `finished`. */
  start(...args: string[]): { child: ChildProcessWithoutNullStreams; finished: Promise<Finished> } {
    const child = spawn(process.execPath, [entry, ...args], {
      cwd: this.folder,
      env: { ...process.env, SWITCHYARD_HOME: this.home, NO_COLOR: '1' },
    });
    const finished = new Promise<Finished>((resolve, reject) => {
      let stdout = '';
      let stderr = '';
      child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, stdout, stderr }));
    });
    return { child, finished };
  }

  /** Runs a command to its end. */
  run(...args: string[]): Promise<Finished> {
    return this.start(...args).finished;
  }

  /** Runs a command that must succeed and returns what it printed. */
  async succeed(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...args);
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}:\n${stdout}\n${stderr}`);
    return stdout;
  }

  /** Runs a command with `--json` that must succeed and returns its records. */
  async records(...args: string[]): Promise<Record<string, unknown>[]> {
    return parseLines(await this.succeed(...args, '--json'));
  }

  /** Writes a file into the folder that commands run in. */
  write(name: string, content: string | Uint8Array): string {
    writeFileSync(join(this.folder, name), content);
    return name;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Every line as an object; throws if one is not. */
export function parseLines(stdout: string): Record<string, unknown>[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
