/** Importing what a page uploaded, previews, cancelling, and what is swept at the next opening. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { CoreEvent } from '../contract/protocol.ts';
import { openCore, type Core } from './openCore.ts';
import {
  createTinyRun,
  importText,
  temporaryHome,
  textFile,
  untilEnded,
} from './testing/tinyRun.ts';

/** No process has this id: it is beyond what systems give. */
const gone = 999_999_999;
const half = `half-${process.pid}`;

describe('uploads', { concurrency: false }, () => {
  const { home, remove } = temporaryHome();
  let core: Core;
  let events: CoreEvent[] = [];
  before(() => {
    core = openCore({ home });
    core.subscribe((event) => events.push(event));
  });
  after(async () => {
    await core.close();
    remove();
  });
  const text = 'Grüße aus 東京 🗼, said the 👩‍🚀 astronaut.\n'.repeat(400);
  const upload = (id: string, name: string, content = text): string => {
    mkdirSync(join(home, 'uploads', id));
    writeFileSync(join(home, 'uploads', id, name), content);
    return id;
  };
  const uploads = () => readdirSync(join(home, 'uploads'));

  test('an upload becomes a dataset that knows the file’s name, and is deleted', async () => {
    events = [];
    const id = upload(`abc123-${process.pid}`, 'story of.txt');
    const path = join(home, 'uploads', id, 'story of.txt');
    const dataset = await core.client.call('datasets.import', { upload: id });
    assert.deepEqual([dataset.name, dataset.source], ['story of', 'story of.txt']);
    assert.deepEqual(uploads(), []);
    const described = readFileSync(join(home, 'datasets', dataset.id, 'dataset.json'), 'utf8');
    assert.ok(!described.includes('uploads'));
    const progress = events.filter((event) => event.type === 'import-progress');
    assert.ok(progress.length > 0 && progress.every((event) => event.path === path));
    assert.deepEqual(events.slice(-2), [
      { type: 'dataset-changed', dataset },
      { type: 'import-ended', path },
    ]);
  });

  test('an upload that cannot be imported is deleted as well, and its end is told', async () => {
    events = [];
    const id = upload(`bad-${process.pid}`, 'binary.txt', '\0\0\0');
    await assert.rejects(core.client.call('datasets.import', { upload: id }), {
      code: 'invalid-data',
    });
    assert.deepEqual(uploads(), []);
    assert.equal(events.at(-1)?.type, 'import-ended');
  });

  test('what is no upload is refused, and nothing outside the folder is touched', async () => {
    const attempt = (input: object) => core.call('datasets.import', input);
    for (const upload of ['..', '../datasets', 'a/b-1', 'A-1', 'abc', '.-1', 'x-1\n'])
      await assert.rejects(attempt({ upload }), {
        code: 'invalid-argument',
        message: /must be the name that the server gave/,
      });
    await assert.rejects(attempt({ upload: 'abc-1' }), { code: 'not-found' });
    await assert.rejects(attempt({}), /neither path nor upload/);
    await assert.rejects(attempt({ path: textFile, upload: 'abc-1' }), /both path and upload/);
    upload(half, 'text.txt.part');
    await assert.rejects(attempt({ upload: half }), /is not complete yet/);
    assert.deepEqual(uploads(), [half]);
  });

  test('a preview is the beginning of both parts, in whole characters', async () => {
    const show = (characters: number, dataset = 'story of') =>
      core.client.call('datasets.preview', { dataset, characters });
    const characters = Array.from(text);
    for (const count of [1, 11, 12, 13, 14, 36, 37, 40, 5000])
      assert.equal((await show(count)).train, characters.slice(0, count).join(''), `${count}`);
    const { train, validation } = await show(100_000);
    assert.equal(train + validation, text);
    const bpe = await core.client.call('datasets.import', {
      path: textFile,
      tokenizer: 'bpe:300',
      name: 'pairs',
    });
    const shown = await core.client.call('datasets.preview', { dataset: bpe.id });
    assert.equal(shown.train, readFileSync(textFile, 'utf8').slice(0, 2000));
    assert.equal(shown.validation.length, 2000);
  });

  test('a dataset is renamed, and everybody is told', async () => {
    events = [];
    const renamed = await core.client.call('datasets.rename', { dataset: 'pairs', name: 'bpe' });
    assert.equal(renamed.name, 'bpe');
    assert.deepEqual(events, [{ type: 'dataset-changed', dataset: renamed }]);
    await assert.rejects(
      core.client.call('datasets.rename', { dataset: 'bpe', name: 'story of' }),
      { code: 'conflict' },
    );
  });

  test('an import that is cancelled ends, says so, and leaves nothing', async () => {
    const path = join(home, 'long.txt');
    writeFileSync(path, readFileSync(textFile, 'utf8').repeat(4));
    const before = readdirSync(join(home, 'datasets'));
    for (const stage of ['reading', 'training', 'encoding'] as const) {
      const controller = new AbortController();
      const end = core.subscribe((event) => {
        if (event.type === 'import-progress' && event.stage === stage) controller.abort();
      });
      events = [];
      await assert.rejects(
        core.client.call('datasets.import', { path, tokenizer: 'bpe:400' }, controller.signal),
        { code: 'interrupted', message: 'The import was ended before it was done.' },
      );
      end();
      assert.equal(events.at(-1)?.type, 'import-ended');
      assert.deepEqual(readdirSync(join(home, 'datasets')), before, stage);
    }
    await assert.rejects(core.client.call('datasets.import', { path }, AbortSignal.abort()), {
      code: 'interrupted',
    });
    assert.equal((await core.client.call('datasets.list', {})).length, 2);
  });

  test('a sample that is cancelled ends', async () => {
    await importText(core);
    const { id } = await createTinyRun(core, { steps: 5, warmup: 0 });
    await untilEnded(core, id);
    const controller = new AbortController();
    const end = core.subscribe((event) => {
      if (event.type === 'sample-token') controller.abort();
    });
    await assert.rejects(
      core.client.call('runs.sample', { run: id, prompt: 'O', tokens: 100_000 }, controller.signal),
      { code: 'interrupted', message: 'The sampling was ended before it was done.' },
    );
    end();
  });

  test('devices are looked for once, and anew when asked', async () => {
    const [first, second] = [
      await core.client.call('devices.list', {}),
      await core.client.call('devices.list', {}),
    ];
    assert.equal(second, first);
    assert.notEqual(await core.client.call('devices.list', { again: true }), first);
  });

  test('the next opening finishes or undoes what a killed process had begun to remove', async () => {
    const [run] = await core.client.call('runs.list', {});
    await core.close();
    const runs = join(home, 'runs');
    mkdirSync(join(runs, `.removing-r-00000000-${gone}`)); // its row is gone
    mkdirSync(join(runs, 'r-11111111')); // unknown to this database, perhaps not to another
    mkdirSync(join(runs, `.removing-r-22222222-${process.pid}`)); // under way
    renameSync(join(runs, run.id), join(runs, `.removing-${run.id}-${gone}`)); // its row is there
    upload(`dead-${gone}`, 'text.txt');
    upload(`live-${process.pid}`, 'text.txt.part');
    const yesterday = new Date(Date.now() - 25 * 60 * 60_000);
    for (const [name, old] of [
      ['.model-0a1b2c3d.tmp', true],
      ['reserved', true],
      ['.model-4e5f6a7b.tmp', false],
      ['under-way', false],
    ] as const) {
      mkdirSync(join(home, 'exports', name));
      if (old) utimesSync(join(home, 'exports', name), yesterday, yesterday);
    }

    core = openCore({ home });
    assert.deepEqual(readdirSync(join(home, 'exports')).sort(), [
      '.model-4e5f6a7b.tmp',
      'under-way',
    ]);
    assert.deepEqual(
      readdirSync(runs).sort(),
      [`.removing-r-22222222-${process.pid}`, 'r-11111111', run.id].sort(),
    );
    assert.ok(existsSync(join(runs, run.id, 'checkpoints')));
    assert.deepEqual(uploads().sort(), [half, `live-${process.pid}`]);
    assert.match(core.version, /^\d+\.\d+\.\d+/);
  });
});
