/** What people do with runs beside training them: name, read, prune, export and delete. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
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
  untilEnded,
  untilRun,
} from './testing/tinyRun.ts';

describe('managing runs', { concurrency: false }, () => {
  const { home, remove } = temporaryHome();
  let core: Core;
  let events: CoreEvent[] = [];
  before(async () => {
    core = openCore({ home });
    core.subscribe((event) => events.push(event));
    await importText(core);
    const { id } = await createTinyRun(core, { keepCheckpoints: 4 }, 'Größe, "one"');
    await untilEnded(core, id);
    await core.client.call('runs.update', { run: id, tags: ['base', 'B 2'], note: 'first\ntry' });
  });
  after(async () => {
    await core.close();
    remove();
  });
  const only = async () => (await core.client.call('runs.list', {}))[0];

  test('name, tags and note are kept, told, and checked', async () => {
    const run = await only();
    assert.deepEqual([run.tags, run.note], [['base', 'B 2'], 'first\ntry']);
    events = [];
    const renamed = await core.client.call('runs.update', { run: run.id, note: '' });
    assert.deepEqual(renamed, { ...run, note: '' });
    assert.deepEqual(events, [{ type: 'run-changed', run: renamed }]);
    const wrong: [object, RegExp][] = [
      [{ name: '' }, /name is "", but must be text/],
      [{ name: ' x' }, /name is " x", but must be text without white space before or after it/],
      [{ name: 'x'.repeat(201) }, /name has 201 characters, but may have at most 200/],
      [{ name: 'two\nlines' }, /must be text on one line/],
      [{ tags: ['a', 'a'] }, /tags has "a" more than once/],
      [{ tags: [''] }, /tags\[0\] is "", but must be text/],
      [{ tags: ['ok', 'x'.repeat(41)] }, /tags\[1\] has 41 characters/],
      [{ tags: Array.from({ length: 21 }, (_, i) => `t${i}`) }, /must be a list of 0 to 20 items/],
      [{ tags: 'a' }, /must be a list of 0 to 20 items/],
      [{ note: 'x'.repeat(20_001) }, /note has 20001 characters/],
    ];
    for (const [changes, message] of wrong)
      await assert.rejects(core.call('runs.update', { run: run.id, ...changes }), {
        code: 'invalid-argument',
        message,
      });
    assert.deepEqual(await only(), renamed);
  });

  test('the log is what the run said, oldest first', async () => {
    const { id } = await only();
    const log = await core.client.call('runs.log', { run: id });
    assert.match(log[0].message, /^Training on /);
    assert.deepEqual(await core.client.call('runs.log', { run: id, limit: 1 }), log.slice(-1));
  });

  test('a curve has as many points as asked for', async () => {
    const { id } = await only();
    const whole = await core.client.call('runs.curve', { run: id });
    assert.deepEqual([whole.steps, whole.summarised, whole.points.length], [20, false, 20]);
    assert.deepEqual(
      whole.validations.map(({ step, trainedTokens }) => [step, trainedTokens]),
      [
        [10, 320],
        [20, 640],
      ],
    );
    const part = await core.client.call('runs.curve', {
      run: id,
      fromStep: 5,
      toStep: 12,
      points: 3,
    });
    assert.deepEqual(
      part.points.map(({ step, count }) => [step, count]),
      [
        [7, 3],
        [10, 3],
        [12, 2],
      ],
    );
    await assert.rejects(core.client.call('runs.curve', { run: id, fromStep: 9, toStep: 8 }), {
      code: 'invalid-argument',
      message: /fromStep is 9, but must be at most toStep, which is 8/,
    });
  });

  test('points are exported as CSV that spreadsheets read, into exports/ by default', async () => {
    const run = await only();
    const exported = await core.client.call('runs.exportPoints', { runs: [run.id] });
    assert.equal(exported.file, join(home, 'exports', 'größe-one.csv'));
    const text = readFileSync(exported.file, 'utf8');
    assert.equal(exported.bytes, Buffer.byteLength(text));
    assert.equal(exported.rows, 22);
    const lines = text.split('\r\n');
    assert.equal(lines.length, 1 + 22 + 1);
    assert.equal(
      lines[0],
      'run_id,run_name,kind,step,tokens,elapsed_seconds,loss_nats_per_token,gradient_norm,learning_rate,milliseconds,tensor_bytes,rss_bytes,validation_tokens,accuracy',
    );
    const { steps, validations } = await core.client.call('runs.metrics', { run: run.id });
    const [metric] = steps;
    assert.equal(
      lines[1],
      `${run.id},"Größe, ""one""",step,1,32,${metric.elapsedSeconds},${metric.loss},${metric.gradientNorm},${metric.learningRate},${metric.milliseconds},${metric.tensorBytes},${metric.rssBytes},,`,
    );
    const [check] = validations;
    assert.equal(
      lines[11],
      `${run.id},"Größe, ""one""",validation,10,320,${steps[9].elapsedSeconds},${check.loss},,,${check.milliseconds},,,${check.tokens},`,
    );

    const again = await core.client.call('runs.exportPoints', { runs: [run.id] });
    assert.equal(again.file, join(home, 'exports', 'größe-one-2.csv'));
    assert.equal(readFileSync(again.file, 'utf8'), text);
  });

  test('an export of points never overwrites, and leaves nothing when it cannot be done', async () => {
    const { id } = await only();
    const folder = join(home, 'csv');
    mkdirSync(folder);
    const taken = join(folder, 'mine.csv');
    writeFileSync(taken, 'mine');
    const attempt = (input: object) => core.call('runs.exportPoints', { runs: [id], ...input });
    await assert.rejects(attempt({ out: taken }), { code: 'conflict' });
    await assert.rejects(attempt({ out: join(folder, 'none', 'x.csv') }), { code: 'not-found' });
    await assert.rejects(attempt({ runs: [] }), /must be a list of 1 to 1000 items/);
    await assert.rejects(attempt({ runs: [id, id] }), /more than once/);
    await assert.rejects(attempt({ runs: [id, 'nobody'] }), { code: 'not-found' });
    assert.deepEqual(readdirSync(folder), ['mine.csv']);
    assert.equal(readFileSync(taken, 'utf8'), 'mine');
  });

  test('a checkpoint goes to exports/ by default; exports are listed with their files, and deleted', async () => {
    const { id } = await only();
    const input = { run: id, format: 'safetensors', checkpoint: 'last' } as const;
    const [one, two] = [
      await core.client.call('runs.export', input),
      await core.client.call('runs.export', input),
    ];
    assert.equal(one.folder, join(home, 'exports', 'größe-one-step-20'));
    assert.equal(two.folder, join(home, 'exports', 'größe-one-step-20-2'));
    const usage = await core.client.call('disk.usage', {});
    assert.deepEqual(usage.exports.map(({ name }) => name).sort(), [
      'größe-one-2.csv',
      'größe-one-step-20',
      'größe-one-step-20-2',
      'größe-one.csv',
    ]);
    const record = usage.exports.find(({ path }) => path === one.folder);
    assert.deepEqual(record?.files.map(({ name }) => name).sort(), one.files.toSorted());
    assert.equal(
      record?.bytes,
      record?.files.reduce((sum, { bytes }) => sum + bytes, 0),
    );

    assert.deepEqual(await core.client.call('exports.remove', { name: 'größe-one-step-20' }), {
      bytes: record?.bytes,
    });
    assert.ok(!existsSync(one.folder));
    for (const name of ['größe-one-step-20', '..', '../switchyard.db', '.', ''])
      await assert.rejects(core.client.call('exports.remove', { name }));
    assert.ok(existsSync(join(home, 'switchyard.db')));
  });

  test('disk usage says what runs and datasets take', async () => {
    const { id, datasetId } = await only();
    const usage = await core.client.call('disk.usage', {});
    const checkpoints = await core.client.call('runs.checkpoints', { run: id });
    const bytes = checkpoints.reduce((sum, each) => sum + each.bytes, 0);
    assert.deepEqual(usage.runs, [{ id, bytes }]);
    assert.deepEqual(
      usage.datasets.map((each) => each.id),
      [datasetId],
    );
    assert.ok(usage.datasets[0].bytes > 1_000_000);
    assert.ok(usage.database > 0 && usage.free > 0);
    assert.equal(usage.home, home);
  });

  test('a damaged best checkpoint names the last one, where that is whole', async () => {
    const training = { steps: 5000, evaluateEvery: 50, checkpointEvery: 5000 };
    const { id } = await createTinyRun(core, training, 'damaged');
    await untilRun(core, id, ({ step, bestStep }) => bestStep !== null && step > bestStep);
    await core.client.call('runs.stop', { run: id });
    const [best, last] = await core.client.call('runs.checkpoints', { run: id });
    assert.deepEqual([best.best, last.best], [true, false]);
    const damage = (folder: string) =>
      truncateSync(join(home, 'runs', id, 'checkpoints', folder, 'model.safetensors'), 100);
    const sample = (checkpoint: 'best' | 'last') =>
      core.client.call('runs.sample', { run: id, prompt: 'x', tokens: 1, checkpoint });
    damage(best.folder);
    for (const attempt of [
      sample('best'),
      core.client.call('runs.export', { run: id, format: 'safetensors' }),
    ])
      await assert.rejects(attempt, {
        code: 'checkpoint-damaged',
        message: new RegExp(
          `has 100 bytes where .*The last checkpoint, of step ${last.step}, is whole: ask for the checkpoint "last"`,
        ),
      });
    assert.equal((await sample('last')).step, last.step);
    damage(last.folder);
    await assert.rejects(sample('best'), { message: /has 100 bytes where \d+ were written\.$/ });
    await core.client.call('runs.remove', { run: id });
  });

  test('checkpoints are deleted one by one; what resuming needs stays', async () => {
    const { id } = await only();
    const rows = await core.client.call('runs.checkpoints', { run: id });
    const [first] = rows;
    events = [];
    const { bytes } = await core.client.call('runs.removeCheckpoints', {
      run: id,
      steps: [first.step],
    });
    assert.equal(bytes, first.bytes);
    assert.deepEqual(events, [{ type: 'run-checkpoints-removed', runId: id, steps: [first.step] }]);
    assert.ok(!existsSync(join(home, 'runs', id, 'checkpoints', first.folder)));
    assert.deepEqual(await core.client.call('runs.checkpoints', { run: id }), rows.slice(1));
    await assert.rejects(
      core.client.call('runs.removeCheckpoints', { run: id, steps: [first.step] }),
      { code: 'not-found', message: /has no checkpoint of step 5\. It has those of step 10, / },
    );

    const unfinished = await createTinyRun(core, { steps: 5000 }, 'unfinished');
    await untilRun(core, unfinished.id, ({ step }) => step >= 12);
    await core.client.call('runs.stop', { run: unfinished.id });
    const steps = (await core.client.call('runs.checkpoints', { run: unfinished.id })).map(
      ({ step }) => step,
    );
    const removeSteps = (wanted: number[]) =>
      core.client.call('runs.removeCheckpoints', { run: unfinished.id, steps: wanted });
    await assert.rejects(removeSteps(steps), {
      code: 'conflict',
      message: /is the last one of run .*needs it to be resumed/,
    });
    await removeSteps(steps.slice(0, -1));
    const resumed = await core.client.call('runs.resume', { run: unfinished.id });
    assert.equal(resumed.step, steps.at(-1));
    await assert.rejects(core.client.call('runs.remove', { run: unfinished.id }), {
      code: 'conflict',
      message: /is (queued|running) and cannot be deleted\. Stop it first/,
    });
    await core.client.call('runs.stop', { run: unfinished.id });
    await core.client.call('runs.remove', { run: unfinished.id });
  });

  test('a dataset is deleted only after its runs; both leave nothing', async () => {
    const run = await only();
    const dataset = run.datasetId;
    await assert.rejects(core.client.call('datasets.remove', { dataset }), {
      code: 'conflict',
      message: new RegExp(`1 run uses it, "Größe, "one"" \\(${run.id}\\)\\. Delete that first`),
    });
    const { runs } = await core.client.call('disk.usage', {});
    events = [];
    assert.deepEqual(await core.client.call('runs.remove', { run: run.id }), {
      bytes: runs[0].bytes,
    });
    assert.deepEqual(readdirSync(join(home, 'runs')), []);
    await core.client.call('datasets.remove', { dataset });
    assert.deepEqual(readdirSync(join(home, 'datasets')), []);
    assert.deepEqual(events, [
      { type: 'run-removed', runId: run.id },
      { type: 'dataset-removed', datasetId: dataset },
    ]);
    assert.deepEqual(await core.client.call('datasets.list', {}), []);
  });
});
