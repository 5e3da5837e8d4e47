/**
 * `npm run demo`: trains the three tiny presets on the sample text for about two minutes in all on the
 * fastest device, prints the comparison and draws its figure. Everything it makes is in
 * demo-output/, a data directory of its own.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const output = join(root, 'demo-output');
const text = join(root, 'samples', 'tinyshakespeare.txt');
const models = ['tiny-dense', 'tiny-switchhead', 'tiny-switchall'];

/** Seconds of training that the three share, validation included. */
const budgetSeconds = 105;
/** Validation batches each time, and how often: enough for a smooth curve, cheap beside training. */
const evaluationBatches = 10;
const evaluations = 6;

/** Runs one command of the command line and gives its standard output if asked for. */
function switchyard(args: readonly string[], capture = false): string {
  const cli = join(root, 'core', 'server', 'cli', 'main.ts');
  const stdio = ['inherit', capture ? 'pipe' : 'inherit', 'inherit'] as const;
  const { status, stdout } = spawnSync(
    process.execPath,
    [cli, ...args, '--home', join(output, 'home')],
    {
      stdio: [...stdio],
      encoding: 'utf8',
    },
  );
  if (status !== 0) process.exit(status ?? 1);
  return stdout;
}

/** Milliseconds that one step of a preset takes here. */
function timeStep(preset: string): number {
  const lines = switchyard(['bench', preset, '--steps', '5', '--json'], true).trim().split('\n');
  const record = lines.map(
    (line) => JSON.parse(line) as { type: string; medianMilliseconds: number },
  );
  return record.find(({ type }) => type === 'bench')?.medianMilliseconds ?? NaN;
}

mkdirSync(output, { recursive: true });
process.stdout.write('Timing a few steps of each model …\n');
const perStep = models.map(timeStep).reduce((sum, milliseconds) => sum + milliseconds, 0);
// A validation batch costs about a third of a training step.
const validating = (evaluations * evaluationBatches * perStep) / 3;
const affordable = (budgetSeconds * 1000 - validating) / perStep;
const steps = Math.min(600, Math.max(30, Math.round(affordable / 10) * 10));
process.stdout.write(`Training each for ${steps} steps.\n\n`);

const every = Math.ceil(steps / evaluations);
// The start time keeps the names of one demo apart from those of an earlier one.
const stamp = new Date().toISOString().slice(5, 19).replace(/[-:T]/gu, '');
const names = models.map((model) => `${model}-${stamp}`);
for (const [i, model] of models.entries()) {
  const settings = [`evaluateEvery=${every}`, `evaluationBatches=${evaluationBatches}`];
  switchyard([
    ...['train', model, '--data', text, '--steps', String(steps), '--name', names[i]],
    ...['--set', ...settings],
  ]);
  process.stdout.write('\n');
}
switchyard(['compare', ...names, '--png', join(output, 'comparison.png')]);
