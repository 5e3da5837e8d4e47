import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openCore, type Core } from './openCore.ts';
import { temporaryHome } from './testing/tinyRun.ts';

const { home, remove } = temporaryHome();
const folder = join(home, 'datasets');
const file = join(home, 'story.txt');
const text = 'It was a dark and stormy night; the rain fell in torrents.\n'.repeat(200);
let core: Core;

before(() => {
  core = openCore({ home });
  writeFileSync(file, text);
});
after(async () => {
  await core.close();
  remove();
});

test('a text is imported once; the same text again gives the same dataset', async () => {
  const stages: string[] = [];
  const end = core.subscribe((event) => {
    if (event.type === 'import-progress') stages.push(event.stage);
  });
  const dataset = await core.client.call('datasets.import', { path: file });
  end();
  assert.equal(dataset.name, 'story');
  assert.equal(dataset.trainTokens + dataset.validationTokens, text.length);
  assert.deepEqual([...new Set(stages)], ['reading', 'encoding']);

  const copy = join(home, 'copy.txt');
  writeFileSync(copy, text);
  assert.deepEqual(await core.client.call('datasets.import', { path: copy }), dataset);
  assert.deepEqual(readdirSync(folder), [dataset.id]);

  const other = await core.client.call('datasets.import', { path: copy, validationShare: 0.2 });
  assert.notEqual(other.id, dataset.id);
  assert.equal(other.name, 'copy');
  assert.deepEqual(await core.client.call('datasets.list', {}), [other, dataset]);
  assert.deepEqual(await core.client.call('datasets.get', { dataset: 'story' }), dataset);
});

test('importing a text again brings back files that have gone', async () => {
  const dataset = await core.client.call('datasets.get', { dataset: 'story' });
  rmSync(join(folder, dataset.id, 'train.tokens'));
  const config = { model: { context: 16 } };
  await assert.rejects(
    core.client.call('runs.create', { config, dataset: 'story', backend: 'cpu' }),
    { code: 'invalid-data', message: /train\.tokens is missing.*brings them back/ },
  );
  assert.deepEqual(await core.client.call('datasets.import', { path: file }), dataset);
  assert.ok(readdirSync(join(folder, dataset.id)).includes('train.tokens'));
});

test('two imports of one text at once make one dataset', async () => {
  const path = join(home, 'twice.txt');
  writeFileSync(path, `${text}and again`);
  const [one, two] = await Promise.all([
    core.client.call('datasets.import', { path }),
    core.client.call('datasets.import', { path }),
  ]);
  assert.deepEqual(one, two);
  const names = (await core.client.call('datasets.list', {})).map(({ id }) => id);
  assert.deepEqual(readdirSync(folder).sort(), names.sort());
});

test('what cannot be imported is refused, and leaves nothing behind', async () => {
  const before = readdirSync(folder);
  const path = (name: string, content: string | Uint8Array): string => {
    writeFileSync(join(home, name), content);
    return join(home, name);
  };
  const attempt = (input: object) => core.call('datasets.import', input);
  await assert.rejects(attempt({ path: path('empty', '') }), { code: 'invalid-data' });
  await assert.rejects(attempt({ path: path('binary', new Uint8Array([1, 0, 255])) }), {
    code: 'invalid-data',
  });
  await assert.rejects(attempt({ path: join(home, 'nothing') }), { code: 'not-found' });
  await assert.rejects(attempt({ path: 'x'.repeat(300) }), {
    code: 'invalid-argument',
    message: /^Cannot read the text file .*: the name is too long\.$/u,
  });
  await assert.rejects(attempt({ path: file, tokenizer: 'words' }), { code: 'invalid-argument' });
  await assert.rejects(attempt({ path: file, validationShare: 0.7 }), {
    code: 'invalid-argument',
  });
  await assert.rejects(attempt({ path: file, name: 'story' }), { code: 'conflict' });
  await assert.rejects(attempt({ path: '' }), {
    code: 'invalid-argument',
    message: 'datasets.import: path is "", but must be text.',
  });
  await assert.rejects(attempt({ file }), { message: /no argument "file"/ });
  assert.deepEqual(readdirSync(folder), before);
});

test('what an import left behind whose process was killed is removed by the next one', async () => {
  const { pid } = spawnSync(process.execPath, ['--version']);
  const left = join(folder, `.importing-d-killed-0123abcd-${pid}`);
  const running = join(folder, `.importing-d-other-0123abcd-${process.ppid}`);
  mkdirSync(left);
  mkdirSync(running);
  await core.client.call('datasets.import', { path: file });
  assert.ok(!existsSync(left));
  assert.ok(existsSync(running));
  rmSync(running, { recursive: true });
});

test('a dataset shorter than one sequence is imported, but cannot be trained on', async () => {
  const path = join(home, 'short.txt');
  writeFileSync(path, 'Too short for that.');
  await core.client.call('datasets.import', { path });
  await assert.rejects(
    core.client.call('runs.create', { config: {}, dataset: 'short', backend: 'cpu' }),
    { code: 'invalid-data', message: /needs at least T\+1 = 129/ },
  );
  assert.deepEqual(await core.client.call('runs.list', {}), []);
});
