/** A whole session on real text with the real command line: train, stop, resume, compare, take away. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Run, StepMetric } from '../../contract/records.ts';
import { CliUnderTest, parseLines } from './testing/runCli.ts';

const text = fileURLToPath(new URL('../../../samples/tinyshakespeare.txt', import.meta.url));
const backend = ['--backend', 'wasm'] as const;

/** Learns something within a hundred steps of about 10 ms. */
const small = {
  model: { attention: 'switchhead', context: 32, layers: 1, width: 32, heads: 2, headWidth: 8 },
  training: { batch: 4, warmup: 5, learningRate: 1e-2, evaluationBatches: 4 },
};

const cli = new CliUnderTest();
before(() => {
  cli.write('sparse.json', JSON.stringify(small));
  const dense = { ...small, model: { ...small.model, attention: 'dense' } };
  cli.write('dense.json', JSON.stringify(dense));
});
after(() => cli.remove());

async function runNamed(name: string): Promise<Run> {
  const runs = (await cli.records('runs')) as unknown as Run[];
  const run = runs.find((one) => one.name === name);
  assert.ok(run, `run ${name} is listed`);
  return run;
}

/** Resolves when the command has printed something that matches. */
function printed(child: ReturnType<CliUnderTest['start']>['child'], what: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = '';
    child.stdout.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
      if (what.test(seen)) resolve();
    });
    child.on('close', () => reject(new Error(`The command ended without ${what}: ${seen}`)));
  });
}

// Each test goes on from the one before it, as a session does.
describe('a session', { concurrency: false }, () => {
  test('train for people: progress with units, a summary, exit code 0', async () => {
    const args = ['--steps', '40', '--set', 'evaluateEvery=20', '--name', 'sparse', ...backend];
    const stdout = await cli.succeed('train', 'sparse.json', '--data', text, ...args);
    assert.match(stdout, /^Data: tinyshakespeare \(d-\w+\) {2}\d\.\d+M tokens for training/mu);
    assert.match(stdout, /^sparse \(r-\w+\) {2}[\d,]+ parameters, 40 steps, on wasm$/mu);
    assert.match(stdout, /^step 20\/40 {2}validation \d\.\d{4} nats\/token .* {2}best so far$/mu);
    assert.match(stdout, /^Finished at step 40 of 40, 5,120 tokens seen\.$/mu);
    assert.match(stdout, /ms per step \(median\), tensors at most \d\S* \wiB, process at most/u);
    const run = await runNamed('sparse');
    assert.equal(run.status, 'finished');
    assert.ok((run.bestValidationLoss ?? 9) < 4, 'it has learned something');
  });

  test('train with --json: only records, from the data to the end', async () => {
    const args = ['--steps', '20', '--seed', '3', '--name', 'dense', ...backend];
    const records = await cli.records('train', 'dense.json', '--data', 'tinyshakespeare', ...args);
    assert.equal(records[0].type, 'dataset');
    const steps = records
      .filter(({ type }) => type === 'run-steps')
      .flatMap((record) => (record.steps as StepMetric[]).map(({ step }) => step));
    assert.deepEqual(
      steps,
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
    const last = records[records.length - 1];
    assert.equal(last.type, 'run-changed');
    assert.equal((last.run as Run).status, 'finished');
    assert.equal((last.run as Run).config.training.seed, 3);
  });

  test('Ctrl-C stops after the step with a checkpoint, and resume goes on to the end', async () => {
    const args = ['--steps', '600', '--set', 'evaluateEvery=300', '--name', 'stopped', '--json'];
    const { child, finished } = cli.start(
      ...['train', 'sparse.json', '--data', text, ...args, ...backend],
    );
    await printed(child, /"type":"run-steps"/u);
    child.kill('SIGINT');
    const { code, stdout, stderr } = await finished;
    assert.equal(code, 130);
    assert.match(stderr, /Stopping after this step, writing a checkpoint…/u);
    const stopped = await runNamed('stopped');
    assert.equal(stopped.status, 'stopped');
    assert.ok(stopped.step > 0 && stopped.step < 600);
    assert.match(stderr, new RegExp(`Continue with: switchyard resume ${stopped.id}\n$`, 'u'));
    const checkpoints = parseLines(stdout).filter(({ type }) => type === 'run-checkpoint');
    assert.equal(checkpoints.length, 1);

    const resumed = await cli.succeed('resume', 'stopped');
    assert.match(resumed, new RegExp(`600 steps from step ${stopped.step}, on wasm`, 'u'));
    assert.match(resumed, /^Finished at step 600 of 600/mu);
    const again = await cli.run('resume', 'stopped');
    assert.equal(again.code, 1);
    assert.match(again.stderr, /has completed its 600 steps; there is nothing to resume/u);
  });

  test('a second Ctrl-C ends at once and leaves the run resumable', async () => {
    const { child, finished } = cli.start(
      ...['train', 'sparse.json', '--data', text, '--steps', '100000', '--name', 'twice'],
      ...['--json', ...backend],
    );
    await printed(child, /"type":"run-steps"/u);
    child.kill('SIGINT');
    child.kill('SIGTERM');
    assert.equal((await finished).code, 130);
    const { status } = await runNamed('twice');
    assert.ok(status === 'interrupted' || status === 'stopped');
  });

  test('a reader that leaves early stops the run with a checkpoint', async () => {
    const { child, finished } = cli.start(
      ...['train', 'sparse.json', '--data', text, '--steps', '100000', '--name', 'piped'],
      ...['--json', ...backend],
    );
    await printed(child, /"type":"run-steps"/u);
    child.stdout.destroy();
    assert.equal((await finished).code, 130);
    assert.equal((await runNamed('piped')).status, 'stopped');
  });

  test('compare: a table, the best run with its cost, and the figure', async () => {
    const stdout = await cli.succeed('compare', 'dense', 'sparse', 'stopped', '--png', 'a/b.png');
    assert.match(stdout, /^architecture +dense H2 +SwitchHead H2 E4 k2 +SwitchHead H2 E4 k2$/mu);
    assert.match(stdout, /^data +tinyshakespeare +tinyshakespeare +tinyshakespeare$/mu);
    assert.match(stdout, /^Best: stopped, validation loss \d\.\d{4} nats\/token at step 600\.$/mu);
    assert.match(stdout, /^sparse relative to dense: loss .*× attention MACs/mu);
    const png = readFileSync(cli.path('a/b.png'));
    assert.equal(png.subarray(1, 4).toString(), 'PNG');

    const records = await cli.records('compare', 'dense', 'sparse', '--png', 'c.png');
    assert.deepEqual(
      records.map(({ type }) => type),
      ['run', 'run', 'comparison', 'figure'],
    );
    assert.ok(existsSync(cli.path('c.png')));
  });

  test('sample continues the prompt, the same for the same seed', async () => {
    const args = ['sample', 'stopped', '--prompt', 'ROMEO:', '--tokens', '12', '--seed', '7'];
    const first = await cli.succeed(...args);
    assert.ok(first.startsWith('ROMEO:'));
    assert.equal(await cli.succeed(...args), first);
    const records = await cli.records(...args);
    const last = records[records.length - 1];
    assert.equal(last.type, 'sample');
    assert.equal(`ROMEO:${String(last.text)}\n`, first);
    assert.equal(last.tokens, 12);
  });

  test('export writes a folder that other tools can read', async () => {
    const out = cli.path('exported');
    const stdout = await cli.succeed(
      ...['export', 'stopped', '--format', 'safetensors', '--out', 'exported'],
    );
    assert.match(stdout, /^Exported step 600 to .*exported:\n {2}model\.safetensors\n/u);
    const file = readFileSync(join(out, 'model.safetensors'));
    const header = JSON.parse(
      file.subarray(8, 8 + Number(file.readBigUInt64LE(0))).toString(),
    ) as Record<string, unknown>;
    assert.ok(Object.keys(header).length > 10);
  });

  test('export writes every step and validation as CSV', async () => {
    const stdout = await cli.succeed('export', 'stopped', '--format', 'csv', '--out', 'points.csv');
    assert.match(stdout, /^Exported [\d,]+ rows \(.* KiB\) to .*points\.csv\.\n$/u);
    const lines = readFileSync(cli.path('points.csv'), 'utf8').trimEnd().split('\r\n');
    const steps = lines.filter((line) => line.includes(',stopped,step,'));
    assert.equal(steps.length, 600);
    assert.ok(steps[599].includes(',stopped,step,600,'));
  });
});

test('bench: one record with its numbers, and a table op by op for people', async () => {
  const args = ['bench', 'sparse.json', '--steps', '3', ...backend];
  const [record, ...more] = await cli.records(...args);
  assert.equal(more.length, 0);
  assert.equal(record.type, 'bench');
  assert.equal(record.backend, 'wasm');
  for (const key of ['medianMilliseconds', 'tokensPerSecond', 'peakTensorBytes', 'peakRssBytes'])
    assert.ok(Number(record[key]) > 0, key);
  const stdout = await cli.succeed(...args, '--profile');
  assert.match(stdout, /^time per step +\d.* ms \(median of 3 steps after 5 to warm up/mu);
  assert.match(stdout, /^matmul +\d+\.\d\d +\d+\.\d % +\d+$/mu);
  assert.match(stdout, /^total +\d+\.\d\d +100\.0 %/mu);
});

test('bench profiles accumulated steps too', async () => {
  const [record] = await cli.records(
    ...['bench', 'dense.json', '--steps', '1', '--set', 'accumulate=3', '--profile', ...backend],
  );
  assert.ok((record.profile as { op: string }[]).some(({ op }) => op === 'adamw'));
});
