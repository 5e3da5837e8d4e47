/**
 * `npm test`: the checks of check.ts, then every `*.test.ts` file on Node's own test runner.
 * Arguments (files, folders or patterns) choose tests and leave the checks out.
 */

import { existsSync, globSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { runChecks } from './check.ts';
import { installChromium } from './chromium.ts';
import { useSoftwareVulkan } from './softwareVulkan.ts';

const root = join(import.meta.dirname, '..');

const started = performance.now();
const chosen = process.argv.slice(2);
const files = chosen.length > 0 ? chosen.flatMap(testFilesOf) : testFilesBelow('.');
// It brings the browser for some tests, and for others a software GPU.
if (files.some((file) => file.startsWith('tests/') || /webgpu/u.test(file))) installChromium();
useSoftwareVulkan();
const failedChecks = chosen.length > 0 ? [] : await runChecks();
const { passed, failed, skipped } = await runTests(files);

const seconds = Math.round((performance.now() - started) / 1000);
const total = `${Math.floor(seconds / 60)} min ${seconds % 60} s in all`;
const checks = failedChecks.length > 0 ? `; checks failed: ${failedChecks.join(', ')}` : '';
process.stdout.write(
  `\n${total}${checks}\n${passed} passed, ${failed} failed, ${skipped} skipped\n`,
);
process.exitCode = failed > 0 || failedChecks.length > 0 ? 1 : 0;

/** The test files that an argument names: a file, a folder, or a pattern. */
function testFilesOf(argument: string): string[] {
  const path = join(root, argument);
  const isFolder = existsSync(path) && statSync(path).isDirectory();
  const found = isFolder ? testFilesBelow(argument) : globSync(argument, { cwd: root });
  if (found.length > 0) return found.sort();
  process.stderr.write(`There are no tests in "${argument}".\n`);
  process.exit(1);
}

function testFilesBelow(folder: string): string[] {
  const exclude = ['**/node_modules/**', '**/dist/**'];
  return globSync(join(folder, '**', '*.test.ts'), { cwd: root, exclude }).sort();
}

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

async function runTests(files: readonly string[]): Promise<Counts> {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  const events = run({
    cwd: root,
    files: [...files],
    // One file a core: the runner's own default leaves one core idle.
    concurrency: availableParallelism(),
    // A file that hangs fails, instead of holding up everybody; the slowest takes about a minute.
    timeout: 10 * 60_000,
  });
  let skippedSuites = 0;
  events.on('test:pass', ({ details, skip }) => {
    if (details.type === 'suite' && skip !== undefined) skippedSuites++;
  });
  events.on('test:summary', ({ counts: total, file }) => {
    // The runner sends one summary a file and one, without a file, of all.
    if (file !== undefined) return;
    counts.passed = total.passed;
    const skippedTests = total.skipped + total.todo;
    counts.failed = total.tests - total.passed - skippedTests;
    counts.skipped = skippedTests + skippedSuites;
  });
  for await (const text of events.compose(new spec())) process.stdout.write(text as string);
  return counts;
}
