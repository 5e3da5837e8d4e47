/** Real runs on a real database, in real threads, on real text. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { CoreEvent } from '../contract/protocol.ts';
import { openStore } from '../store/database.ts';
import { openCore, type Core } from './openCore.ts';
import {
  createTinyRun,
  assertSameCurve,
  curve,
  importText,
  temporaryHome,
  tinyConfig,
  untilEnded,
  untilRun,
} from './testing/tinyRun.ts';

describe('training', { concurrency: false }, () => {
  const { home, remove } = temporaryHome();
  let core: Core;
  let whole: string; // a run that nothing interrupted
  const events: CoreEvent[] = [];

  before(async () => {
    core = openCore({ home });
    core.subscribe((event) => events.push(event));
    await importText(core);
    whole = (await createTinyRun(core, {}, 'whole')).id;
    await untilEnded(core, whole);
  });
  after(async () => {
    await core.close();
    remove();
  });

  const checkpointsFolder = (run: string) => join(home, 'runs', run, 'checkpoints');

  test('a run finishes with its metrics, checkpoints, summary and events', async () => {
    const run = await core.client.call('runs.get', { run: 'whole' });
    assert.equal(run.status, 'finished', JSON.stringify(run.error));
    assert.equal(run.step, 20);
    assert.equal(run.tokens, 20 * 2 * 16);
    assert.equal(run.error, null);
    assert.equal(run.config.data.tokenizer, 'byte');
    assert.ok(run.device !== null && run.device !== '');
    assert.ok(run.parameters > 0 && run.macs > 0);
    assert.ok(run.bestValidationLoss !== null && run.bestValidationLoss < Math.log(256));
    const { steps, validations } = await core.client.call('runs.metrics', { run: whole });
    assert.deepEqual(
      steps.map(({ step }) => step),
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
    assert.deepEqual(
      validations.map(({ step }) => step),
      [10, 20],
    );
    const rows = await core.client.call('runs.checkpoints', { run: whole });
    assert.deepEqual(
      rows.map(({ folder }) => folder).sort(),
      readdirSync(checkpointsFolder(whole)).sort(),
    );
    assert.equal(rows.filter(({ best }) => best).length, 1);

    const own = events.filter(
      (event) => ('runId' in event && event.runId === whole) || event.type === 'run-changed',
    );
    const batches = own.filter((event) => event.type === 'run-steps');
    assert.equal(batches.flatMap((event) => event.steps).length, 20);
    assert.ok(own.some((event) => event.type === 'run-validation'));
    const statuses = own.flatMap((event) => (event.type === 'run-changed' ? event.run.status : []));
    assert.equal(statuses[0], 'queued');
    assert.equal(statuses.at(-1), 'finished');
  });

  test('runs of one device wait for each other, in order', async () => {
    const order: string[] = [];
    const end = core.subscribe((event) => {
      if (event.type !== 'run-changed') return;
      const entry = `${event.run.name} ${event.run.status}`;
      if (!order.includes(entry)) order.push(entry);
    });
    const first = await createTinyRun(core, { steps: 5 }, 'first');
    const second = await createTinyRun(core, { steps: 5 }, 'second');
    const third = await createTinyRun(core, { steps: 5 }, 'third');
    assert.equal(second.status, 'queued');
    await core.client.call('runs.stop', { run: second.id });
    await untilEnded(core, third.id);
    end();
    const running = order.filter((entry) => /running|finished|stopped/.test(entry));
    assert.deepEqual(running, [
      'first running',
      'second stopped',
      'first finished',
      'third running',
      'third finished',
    ]);
    assert.equal((await core.client.call('runs.get', { run: first.id })).step, 5);
    assert.equal((await core.client.call('runs.get', { run: second.id })).step, 0);
  });

  test('a run that is stopped and resumed has the curve of one that was not', async () => {
    const { id } = await createTinyRun(core, {}, 'stopped');
    await untilRun(core, id, ({ status }) => status === 'running');
    const stopped = await core.client.call('runs.stop', { run: id });
    assert.equal(stopped.status, 'stopped');
    assert.ok(stopped.step >= 1 && stopped.step < 20, `stopped at step ${stopped.step}`);
    await assert.rejects(core.client.call('runs.stop', { run: id }), /stopped already/);

    const resumed = await core.client.call('runs.resume', { run: id });
    assert.notEqual(resumed.status, 'stopped');
    await assert.rejects(core.client.call('runs.resume', { run: id }), {
      code: 'conflict',
      message: /already (queued|running) here/,
    });
    const finished = await untilEnded(core, id);
    assert.equal(finished.status, 'finished');
    assert.deepEqual(await curve(core, id), await curve(core, whole));
    await assert.rejects(core.client.call('runs.resume', { run: id }), {
      code: 'conflict',
      message: /has completed its 20 steps/,
    });
  });

  for (const backend of ['wasm', 'tensorflow'] as const)
    test(`${backend}: a run that is stopped and resumed has the curve of one that was not`, async (context) => {
      const reports = await core.client.call('devices.list', {});
      const report = reports.find((device) => device.backend === backend);
      if (report?.available !== true) {
        context.skip(report?.reason ?? 'This version does not have it.');
        return;
      }
      const training = { steps: 120, checkpointEvery: 120, evaluateEvery: 120 };
      const whole = await createTinyRun(core, training, `${backend} whole`, backend);
      const { id } = await createTinyRun(core, training, `${backend} stopped`, backend);
      await untilRun(core, id, ({ device }) => device !== null);
      const { step } = await core.client.call('runs.stop', { run: id });
      assert.ok(step >= 1 && step < 120, `stopped at step ${step}`);
      await core.client.call('runs.resume', { run: id });
      await untilEnded(core, id);

      assertSameCurve(await curve(core, id), await curve(core, whole.id), backend);
    });

  test('a queued run that is stopped before its first step starts from the beginning', async () => {
    const busy = await createTinyRun(core, {}, 'busy');
    const { id } = await createTinyRun(core, {}, 'waiting');
    await core.client.call('runs.stop', { run: id });
    await core.client.call('runs.stop', { run: busy.id });
    await core.client.call('runs.resume', { run: id });
    assert.equal((await untilEnded(core, id)).status, 'finished');
    assert.deepEqual(await curve(core, id), await curve(core, whole));
  });

  test('a loss that is not a number fails the run and keeps the last good checkpoint', async () => {
    const { id } = await createTinyRun(
      core,
      {
        steps: 200,
        learningRate: 10,
        weightDecay: 10,
        clip: 1e6,
        warmup: 0,
        finalLearningRateShare: 1,
        checkpointEvery: 1,
      },
      'diverging',
    );
    const failed = await untilEnded(core, id);
    assert.equal(failed.status, 'failed');
    assert.equal(failed.error?.code, 'diverged');
    assert.match(failed.error?.message ?? '', new RegExp(`at step ${failed.step + 1}`));
    const rows = await core.client.call('runs.checkpoints', { run: id });
    assert.equal(rows.at(-1)?.step, failed.step);
    assert.ok(
      existsSync(join(checkpointsFolder(id), rows.at(-1)?.folder ?? '', 'model.safetensors')),
    );
  });

  test('a run whose checkpoints were deleted is not silently started over', async () => {
    const { id } = await createTinyRun(core, {}, 'deleted');
    await untilRun(core, id, ({ step }) => step >= 5);
    await core.client.call('runs.stop', { run: id });
    rmSync(checkpointsFolder(id), { recursive: true });
    const before = await core.client.call('runs.metrics', { run: id });
    await assert.rejects(core.client.call('runs.resume', { run: id }), {
      code: 'checkpoint-damaged',
      message: /its checkpoints \(of step .*\) are gone from .*start a new run/u,
    });
    assert.deepEqual(await core.client.call('runs.metrics', { run: id }), before);
  });

  test('a model that cannot fit is refused with both numbers before anything is allocated', async () => {
    const config = tinyConfig();
    const { id } = await core.client.call('runs.create', {
      config: { ...config, model: { ...config.model, context: 16384, width: 64, heads: 8 } },
      dataset: 'shakespeare',
      name: 'huge',
      backend: 'wasm',
    });
    const failed = await untilEnded(core, id);
    assert.equal(failed.error?.code, 'out-of-memory');
    assert.match(
      failed.error?.message ?? '',
      /^Training needs [\d.]+ GiB for tensors, but WebAssembly can address 4\.0 GiB: [\d.]+ GiB too little/u,
    );
  });

  test('a damaged checkpoint is passed over for the one before it', async () => {
    const { id } = await createTinyRun(core, { keepCheckpoints: 4 }, 'damaged');
    await untilRun(core, id, ({ step }) => step >= 10);
    await core.client.call('runs.stop', { run: id });
    const folder = readdirSync(checkpointsFolder(id)).sort().at(-1) ?? '';
    truncateSync(join(checkpointsFolder(id), folder, 'optimizer.safetensors'), 100);

    await core.client.call('runs.resume', { run: id });
    assert.equal((await untilEnded(core, id)).status, 'finished');
    assert.deepEqual(await curve(core, id), await curve(core, whole));
    const warning = events.find(
      (event) => event.type === 'run-log' && event.runId === id && event.level === 'warning',
    );
    assert.ok(warning?.type === 'run-log');
    assert.match(warning.message, new RegExp(folder));
    assert.match(warning.message, /optimizer\.safetensors has 100 bytes/);
    const rows = await core.client.call('runs.checkpoints', { run: id });
    assert.ok(rows.every((row) => existsSync(join(checkpointsFolder(id), row.folder))));
  });

  test('a run without one whole checkpoint is not resumed, and nothing of it is lost', async () => {
    const { id } = await createTinyRun(core, { keepCheckpoints: 1 }, 'ruined');
    await untilRun(core, id, ({ step }) => step >= 1);
    const stopped = await core.client.call('runs.stop', { run: id });
    for (const folder of readdirSync(checkpointsFolder(id)))
      rmSync(join(checkpointsFolder(id), folder, 'model.safetensors'));
    await assert.rejects(core.client.call('runs.resume', { run: id }), {
      code: 'checkpoint-damaged',
      message: /model\.safetensors is missing/,
    });
    const after = await core.client.call('runs.get', { run: id });
    assert.deepEqual(after, stopped);
  });

  test('what cannot be trained is refused before a run exists', async () => {
    const count = (await core.client.call('runs.list', {})).length;
    const create = (config: object, dataset = 'shakespeare') =>
      core.client.call('runs.create', { config, dataset, backend: 'cpu' });
    await assert.rejects(
      create({ training: { stepz: 3 } }),
      /nearest known one is "training.steps"/,
    );
    await assert.rejects(
      create({ model: { experts: 2, activeExperts: 3 } }),
      /k must be at most E/,
    );
    await assert.rejects(create({ data: { tokenizer: 'bpe:300' } }), {
      code: 'invalid-config',
      message: /imported with "byte"/,
    });
    await assert.rejects(create(tinyConfig(), 'nobody'), { code: 'not-found' });
    await assert.rejects(create({ model: { context: 65536 * 4 } }), { code: 'invalid-config' });
    assert.equal((await core.client.call('runs.list', {})).length, count);
  });

  test('closing stops runs with a checkpoint; another core goes on with them', async () => {
    const place = temporaryHome();
    const one = openCore({ home: place.home });
    await importText(one);
    const { id } = await createTinyRun(one, { steps: 5000, evaluateEvery: 5000 });
    const waiting = await createTinyRun(one);
    await untilRun(one, id, ({ step }) => step >= 1);
    await one.close();

    const store = openStore(join(place.home, 'switchyard.db'));
    const run = store.runs.get(id);
    assert.equal(run.status, 'stopped');
    assert.equal(store.checkpoints.last(id)?.step, run.step);
    assert.equal(store.runs.get(waiting.id).status, 'stopped');
    store.close();
    place.remove();
  });
});
