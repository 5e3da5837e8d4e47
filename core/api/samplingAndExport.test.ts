import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openSafetensors } from '../data/safetensors.ts';
import { loadTokenizer } from '../data/tokenizer.ts';
import { openCore, type Core } from './openCore.ts';
import { createTinyRun, importText, temporaryHome, untilEnded } from './testing/tinyRun.ts';

describe('sampling and export', { concurrency: false }, () => {
  const { home, remove } = temporaryHome();
  let core: Core;
  before(async () => {
    core = openCore({ home });
    await importText(core);
    const { id } = await createTinyRun(core, {}, 'trained');
    await untilEnded(core, id);
  });
  after(async () => {
    await core.close();
    remove();
  });
  const sample = (input: object) =>
    core.client.call('runs.sample', { run: 'trained', prompt: 'ROMEO: ', tokens: 24, ...input });

  test('a sample streams its text, and a seed gives it again', async () => {
    const pieces: string[] = [];
    const end = core.subscribe((event) => {
      if (event.type === 'sample-token') pieces.push(event.text);
    });
    const first = await sample({ seed: 3 });
    end();
    assert.equal(pieces.join(''), first.text);
    assert.equal(first.tokens, 24);
    assert.equal(first.step, 20);
    assert.equal((await sample({ seed: 3 })).text, first.text);
    assert.notEqual((await sample({ seed: 4 })).text, first.text);
  });

  test('temperature 0 and one candidate are the same, whatever the seed', async () => {
    const greedy = await sample({ temperature: 0, seed: 1 });
    assert.equal((await sample({ topK: 1, seed: 2 })).text, greedy.text);
  });

  test('bad requests are refused', async () => {
    await assert.rejects(sample({ prompt: '' }), { code: 'invalid-argument' });
    await assert.rejects(sample({ temperature: -1 }), /temperature is -1, but must be a number/);
    await assert.rejects(sample({ checkpoint: 'worst' }), /one of "best", "last"/);
    await assert.rejects(sample({ run: 'nobody' }), { code: 'not-found' });
  });

  test('an export has the weights, their meaning, the tokenizer and where they come from', async () => {
    const out = join(home, 'exports', 'tiny');
    mkdirSync(out, { recursive: true }); // an empty folder is free
    const exported = await core.client.call('runs.export', {
      run: 'trained',
      format: 'safetensors',
      out,
    });
    assert.deepEqual(exported.files.toSorted(), readdirSync(out).sort());
    assert.equal(exported.step, 20);
    const read = (name: string): unknown => JSON.parse(readFileSync(join(out, name), 'utf8'));

    const file = openSafetensors(join(out, 'model.safetensors'));
    assert.deepEqual({ ...file.metadata }, { format: 'pt' });
    const config = read('config.json') as { vocabulary: number; tensors: object[] };
    assert.equal(config.vocabulary, 256);
    const listed = [...file.tensors].map(([name, { shape, dtype }]) => ({ name, shape, dtype }));
    const byName = (tensors: object[]) => tensors.map((each) => JSON.stringify(each)).sort();
    assert.deepEqual(byName(config.tensors), byName(listed));
    file.close();

    const tokenizer = await loadTokenizer(readFileSync(join(out, 'tokenizer.json'), 'utf8'));
    assert.equal(tokenizer.vocabulary, 256);
    const run = await core.client.call('runs.get', { run: 'trained' });
    const provenance = read('provenance.json') as Record<string, unknown>;
    assert.deepEqual(provenance['run'], { id: run.id, name: 'trained' });
    assert.equal(provenance['seed'], 1);
    assert.equal(provenance['device'], run.device);
    assert.equal(provenance['validationLoss'], run.bestValidationLoss);
    assert.deepEqual(readdirSync(join(home, 'exports')), ['tiny']);
  });

  test('an export never overwrites', async () => {
    const out = join(home, 'full');
    mkdirSync(out);
    writeFileSync(join(out, 'mine'), 'mine');
    const attempt = (to: string) =>
      core.client.call('runs.export', { run: 'trained', format: 'safetensors', out: to });
    await assert.rejects(attempt(out), { code: 'conflict' });
    await assert.rejects(attempt(join(out, 'mine')), { code: 'conflict' });
    assert.deepEqual(readdirSync(out), ['mine']);
  });

  test('a checkpoint that is gone is said to be gone', async () => {
    const { id } = await core.client.call('runs.get', { run: 'trained' });
    rmSync(join(home, 'runs', id, 'checkpoints'), { recursive: true });
    await assert.rejects(sample({}), { code: 'checkpoint-damaged', message: /is missing/ });
  });
});
