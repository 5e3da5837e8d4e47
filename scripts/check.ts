/**
 * The checks that need no test to run: formatting, lint and types. Two run at a time, as on two
 * cores more only makes each slower; each prints its output when it ends.
 */

import { spawn } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** Longest first, so that the short ones fill the other core. */
const CHECKS: readonly Check[] = [
  { name: 'eslint', file: 'eslint/bin/eslint.js', args: ['.', '--max-warnings=0'] },
  { name: 'types', file: 'typescript/bin/tsc', args: ['-p', '.'] },
  {
    name: 'types of renderer',
    file: 'svelte-check/bin/svelte-check',
    args: ['--tsconfig', 'renderer/tsconfig.json', '--fail-on-warnings', '--output', 'human'],
  },
  {
    name: 'prettier',
    file: 'prettier/bin/prettier.cjs',
    args: ['--check', '--log-level=warn', '.'],
  },
  { name: 'types of core/contract', file: 'typescript/bin/tsc', args: ['-p', 'core/contract'] },
];

interface Check {
  readonly name: string;
  /** The tool's script below node_modules: run directly, it needs no shell on any platform. */
  readonly file: string;
  readonly args: readonly string[];
}

/** Runs every check and returns the names of those that failed. */
export async function runChecks(): Promise<string[]> {
  const waiting = [...CHECKS];
  const failed: string[] = [];
  const takeNext = async (): Promise<void> => {
    for (let check = waiting.shift(); check; check = waiting.shift()) {
      if (!(await passes(check))) failed.push(check.name);
    }
  };
  await Promise.all([takeNext(), takeNext()]);
  return failed;
}

async function passes({ name, file, args }: Check): Promise<boolean> {
  const started = performance.now();
  const child = spawn(process.execPath, [join(root, 'node_modules', file), ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => (output += text));
  }
  const passed = await new Promise<boolean>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code === 0));
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`${passed ? '✔' : '✖'} ${name} (${seconds} s)\n${output}`);
  return passed;
}

if (import.meta.main) process.exitCode = (await runChecks()).length > 0 ? 1 : 0;
