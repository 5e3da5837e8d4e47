/** ListOps from its generation to the checks before a run. */
import assert from 'node:assert/strict';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { PartialConfig } from '../contract/config.ts';
import type { CoreEvent } from '../contract/protocol.ts';
import { openCore, type Core } from './openCore.ts';
import { temporaryHome, tinyConfig, untilEnded } from './testing/tinyRun.ts';

const { home, remove } = temporaryHome();
const options = { examples: 200, minLength: 4, maxLength: 30, seed: 7 } as const;
let core: Core;
before(() => {
  core = openCore({ home });
});
after(async () => {
  await core.close();
  remove();
});
const uploads = () => readdirSync(join(home, 'uploads'));

test('generated examples become a dataset that says how to make it again, once', async () => {
  const events: CoreEvent[] = [];
  const end = core.subscribe((event) => events.push(event));
  const dataset = await core.client.call('datasets.generateListops', options);
  end();
  assert.equal(dataset.name, 'listops');
  assert.equal(
    dataset.source,
    'ListOps (200 examples, depth 5, 5 operands, length 4 to 30, seed 7)',
  );
  assert.deepEqual([dataset.tokenizer, dataset.vocabulary], ['listops', 18]);
  assert.deepEqual(uploads(), []);
  assert.deepEqual(
    events.slice(-2).map(({ type }) => type),
    ['dataset-changed', 'import-ended'],
  );
  assert.deepEqual(await core.client.call('datasets.generateListops', options), dataset);
  rmSync(join(home, 'datasets', dataset.id, 'train.tokens'));
  assert.deepEqual(await core.client.call('datasets.generateListops', options), dataset);
  assert.ok(readdirSync(join(home, 'datasets', dataset.id)).includes('train.tokens'));

  const other = await core.client.call('datasets.generateListops', {
    ...options,
    operators: ['MIN', 'MAX'],
    validationShare: 0.5,
  });
  assert.equal(other.name, 'listops-2');
  assert.match(other.source, /length 4 to 30, MIN MAX, seed 7\)$/);
  const { train, validation } = await core.client.call('datasets.preview', { dataset: other.id });
  assert.match(train, /^\[M(IN|AX) [^=]*\] = \d\n\[M/);
  assert.match(validation, /^\[M(IN|AX) /);
});

test('wrong options are refused, and nothing is left', async () => {
  const attempt = (input: object) =>
    core.call('datasets.generateListops', { ...options, ...input });
  await assert.rejects(attempt({ depth: 0 }), /depth is 0, but must be a whole number from 1 to/);
  await assert.rejects(attempt({ operators: ['AVG'] }), /operators\[0\] is "AVG"/);
  await assert.rejects(attempt({ operators: ['MIN', 'MIN'] }), /"MIN" more than once/);
  await assert.rejects(attempt({ minLength: 31 }), /minLength is 31.*maxLength, which is 30/);
  for (const validationShare of [0, 0.6, '0.1'])
    await assert.rejects(
      attempt({ validationShare }),
      /generateListops: validationShare is .*, but must be a number greater than 0 and at most 0\.5/,
      'before anything is generated',
    );
  await assert.rejects(attempt({ dept: 3 }), /no argument "dept".*"depth"/);
  await assert.rejects(core.client.call('datasets.generateListops', options, AbortSignal.abort()), {
    code: 'interrupted',
  });
  assert.deepEqual(uploads(), []);
});

test('task and dataset must fit, and the longest example the context', async () => {
  const text = join(home, 'text.txt');
  writeFileSync(text, 'To be, or not to be.\n'.repeat(100));
  await core.client.call('datasets.import', { path: text });
  const create = (dataset: string, model: NonNullable<PartialConfig['model']>) =>
    core.client.call('runs.create', { config: { model }, dataset, backend: 'cpu' });
  await assert.rejects(create('text', { task: 'classification' }), {
    code: 'invalid-config',
    message: /dataset "text" is a text \(tokenizer byte\)\. Choose.*"listops", or set model\.task/,
  });
  await assert.rejects(create('listops', { context: 30 }), {
    code: 'invalid-config',
    message: /"listops" has ListOps examples.*model\.task is "language-model"\. Set model\.task to/,
  });
  await assert.rejects(create('listops', { task: 'classification', context: 29 }), {
    code: 'invalid-data',
    message:
      /dataset "listops" has 30 tokens, but the context is 29: set model\.context to at least 30/,
  });
  const path = join(home, 'one.tsv');
  writeFileSync(path, '4\t[MAX 3 4 ]\n');
  await core.client.call('datasets.import', { path, tokenizer: 'listops' });
  await assert.rejects(create('one', { task: 'classification', context: 30 }), {
    code: 'invalid-data',
    message: /"one" has no example for validation/,
  });
});

test('a classifier trains, and its accuracy is recorded and exported', async () => {
  const { model, ...config } = tinyConfig({ steps: 10, evaluateEvery: 5 });
  const run = await core.client.call('runs.create', {
    config: { ...config, model: { ...model, task: 'classification', context: 30 } },
    dataset: 'listops',
    backend: 'cpu',
  });
  const ended = await untilEnded(core, run.id);
  assert.equal(ended.status, 'finished', ended.error?.message);
  const { validations } = await core.client.call('runs.metrics', { run: run.id });
  assert.equal(ended.lastAccuracy, validations.at(-1)?.accuracy);
  const accuracies = validations.map(({ accuracy }) => accuracy ?? NaN);
  assert.ok(accuracies.every((accuracy) => accuracy >= 0 && accuracy <= 1));
  assert.equal(ended.bestAccuracy, Math.max(...accuracies));
});
