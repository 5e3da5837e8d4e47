import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { MethodName } from '../contract/protocol.ts';
import { defaultHome } from './dataDirectory.ts';
import { openCore } from './openCore.ts';
import { createTinyRun, importText, temporaryHome } from './testing/tinyRun.ts';

test('opening makes the folders; closing twice is allowed', async () => {
  const { home, remove } = temporaryHome();
  const core = openCore({ home: join(home, 'deep', 'down') });
  for (const name of ['datasets', 'runs', 'logs', 'uploads', 'exports', 'switchyard.db'])
    assert.ok(existsSync(join(core.home, name)), name);
  await Promise.all([core.close(), core.close()]);
  remove();
});

test('SWITCHYARD_HOME names the data directory', (context) => {
  const before = process.env['SWITCHYARD_HOME'];
  context.after(() => {
    if (before === undefined) delete process.env['SWITCHYARD_HOME'];
    else process.env['SWITCHYARD_HOME'] = before;
  });
  process.env['SWITCHYARD_HOME'] = '/somewhere';
  assert.equal(defaultHome(), '/somewhere');
  delete process.env['SWITCHYARD_HOME'];
  assert.match(defaultHome(), /switchyard/);
});

test('a place that cannot be a folder is refused with the remedy', () => {
  const { home, remove } = temporaryHome();
  writeFileSync(join(home, 'file'), '');
  assert.throws(() => openCore({ home: join(home, 'file', 'below') }), {
    code: 'invalid-argument',
    message: /SWITCHYARD_HOME or --home/,
  });
  remove();
});

test('a call with an unknown method or argument names the nearest known one', async () => {
  const { home, remove } = temporaryHome();
  const core = openCore({ home });
  await assert.rejects(core.call('runs.lst' as MethodName, {}), /nearest known one is "runs.list"/);
  await assert.rejects(core.call('runs.get', { rum: 'x' }), /nearest known one is "run"/);
  await assert.rejects(core.call('runs.get', {}), /runs\.get: run is missing, but must be text/);
  await assert.rejects(core.call('runs.get', 'x'), /must be an object/);
  await assert.rejects(core.call('runs.list', { all: true }), /It takes none/);
  await assert.rejects(core.call('datasets.import', { path: 'a\0b' }), {
    code: 'invalid-argument',
    message: /path is "a\\u0000b", but must be a path, which has no NUL character/,
  });
  const twoLines = { config: {}, dataset: 'x', name: 'a\nb' };
  await assert.rejects(
    core.call('runs.create', twoLines),
    /name is "a\\nb", but must be text on one/,
  );
  await core.close();
  remove();
});

test('a run that is asked for while the core closes is refused, and not recorded', async () => {
  const { home, remove } = temporaryHome();
  const core = openCore({ home });
  await importText(core);
  const creating = createTinyRun(core); // looks for devices first, which takes a while
  const closing = core.close();
  await assert.rejects(creating, { code: 'interrupted', message: /Switchyard is closing/ });
  await closing;
  const again = openCore({ home });
  assert.deepEqual(await again.client.call('runs.list', {}), []);
  await again.close();
  remove();
});

test('resources are computed without a run', async () => {
  const { home, remove } = temporaryHome();
  const core = openCore({ home });
  const { parameters } = await core.client.call('resources.compute', {
    config: {},
    vocabulary: 256,
  });
  assert.ok(parameters.total > 800_000 && parameters.total < 900_000);
  await core.close();
  remove();
});

test('a model is matched with a baseline without a run; arguments are checked', async () => {
  const { home, remove } = temporaryHome();
  const core = openCore({ home });
  const baseline = { model: { attention: 'dense', heads: 8, headWidth: 16 } } as const;
  const input = { baseline, vocabulary: 256, family: 'moa', by: 'parameters' } as const;
  const { config, unmatched } = await core.client.call('models.match', input);
  assert.deepEqual([config.model.attention, config.model.experts], ['moa', 8]);
  assert.ok(Math.abs(unmatched.parameters) < 1000);
  await assert.rejects(core.call('models.match', { ...input, family: 'moe' }), /family is "moe"/);
  await assert.rejects(core.call('models.match', { ...input, heads: 0 }), /from 1 to 256/);
  await core.close();
  remove();
});
