import assert from 'node:assert/strict';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import {
  addRun,
  failsWith,
  newDataset,
  newRun,
  stepMetric,
  temporaryStore,
  validationMetric,
} from './testing/fixtures.ts';

test('a run comes back as it was created, with an empty summary', (t) => {
  const store = temporaryStore(t);
  const description = newRun(store.datasets.add(newDataset()).id);
  const run = store.runs.create(description);
  assert.match(run.id, /^r-[0-9a-z]{8}$/);
  assert.deepEqual(run, {
    ...description,
    id: run.id,
    createdAt: run.createdAt,
    tags: [],
    note: '',
    status: 'queued',
    error: null,
    device: null,
    startedAt: null,
    endedAt: null,
    step: 0,
    tokens: 0,
    lastTrainLoss: null,
    lastValidationLoss: null,
    bestValidationLoss: null,
    bestStep: null,
    lastAccuracy: null,
    bestAccuracy: null,
    millisecondsPerStep: null,
    peakTensorBytes: null,
    peakRssBytes: null,
  });
  assert.deepEqual(store.runs.get(run.id), run);
  assert.equal(store.runs.setDevice(run.id, '8 cores').device, '8 cores');
});

test('the configuration of an earlier version comes back with the fields that have come since', (t) => {
  const store = temporaryStore(t);
  const id = addRun(store);
  const { config } = store.runs.get(id);
  const { task, memoryChunks, ...model } = config.model;
  const { lossScaling, ...training } = config.training;
  const db = new Database(store.file);
  db.prepare('UPDATE runs SET config = ? WHERE id = ?').run(
    JSON.stringify({ ...config, model: { ...model, layers: 7 }, training }),
    id,
  );
  db.close();
  const read = store.runs.get(id).config;
  assert.deepEqual(
    [task, memoryChunks, lossScaling],
    [read.model.task, read.model.memoryChunks, read.training.lossScaling],
  );
  assert.deepEqual(read, { ...config, model: { ...config.model, layers: 7 } });
});

test('a run of an unknown dataset is refused', (t) => {
  const { runs } = temporaryStore(t);
  assert.throws(() => runs.create(newRun('d-none')), failsWith('not-found', /dataset "d-none"/));
});

test('runs are listed newest first', (t) => {
  const store = temporaryStore(t);
  const ids = ['a', 'b', 'c'].map((name) => addRun(store, { name }));
  assert.deepEqual(
    store.runs.list().map(({ id }) => id),
    ids.reverse(),
  );
});

test('a run is found by id, then name, then beginning of its id', (t) => {
  const store = temporaryStore(t);
  addRun(store, { id: 'r-aaaa1111', name: 'tiny' });
  addRun(store, { id: 'r-aabb2222', name: 'aaaa' }); // a name that begins another's id
  addRun(store, { id: 'r-cccc3333', name: 'r-aaaa1111' }); // a name that is another's id
  const found = (reference: string) => store.runs.find(reference).id;
  assert.equal(found('r-aaaa1111'), 'r-aaaa1111');
  assert.equal(found('aaaa'), 'r-aabb2222');
  assert.equal(found('tiny'), 'r-aaaa1111');
  assert.equal(found('r-aaa'), 'r-aaaa1111');
  assert.equal(found('aab'), 'r-aabb2222');
  assert.throws(
    () => found('aa'),
    failsWith('invalid-argument', /beginning of 2 run ids: r-aaaa1111, r-aabb2222/),
  );
});

test('what names no run is not guessed at', (t) => {
  const store = temporaryStore(t);
  addRun(store, { id: 'r-aaaa1111' });
  for (const reference of ['zzz', '', 'r-', '%', '_', 'R-AAAA1111'])
    assert.throws(() => store.runs.find(reference), failsWith('not-found', /"switchyard runs"/));
});

test('a name that several runs have is refused with their ids', (t) => {
  const store = temporaryStore(t);
  const ids = [addRun(store), addRun(store)];
  assert.throws(
    () => store.runs.find('first'),
    (error) => {
      for (const id of ids) failsWith('invalid-argument', new RegExp(id))(error);
      return true;
    },
  );
});

test('removing a run removes all its rows and nobody else’s', (t) => {
  const store = temporaryStore(t);
  const [gone, kept] = [addRun(store), addRun(store)];
  for (const runId of [gone, kept]) {
    store.metrics.append(runId, [stepMetric(1)], [validationMetric(1, 2)]);
    store.checkpoints.add({
      runId,
      step: 1,
      folder: '1',
      bytes: 9,
      validationLoss: 2,
      best: true,
    });
    store.logs.append({ runId, level: 'info', message: 'hello', time: '2025-01-01T00:00:00Z' });
  }
  assert.throws(() => store.runs.remove(gone), failsWith('conflict', /queued/));
  store.runs.finish(gone, { status: 'stopped' });
  store.runs.remove(gone);
  const rows = (runId: string) => [
    ...store.metrics.read(runId).steps,
    ...store.metrics.read(runId).validations,
    ...store.checkpoints.list(runId),
    ...store.logs.read(runId),
  ];
  assert.equal(rows(gone).length, 0);
  assert.equal(rows(kept).length, 4);
});

test('a transaction over several tables is all or nothing', (t) => {
  const store = temporaryStore(t);
  const runId = addRun(store);
  assert.throws(
    () =>
      store.transaction(() => {
        store.metrics.append(runId, [stepMetric(1)]);
        store.checkpoints.add({
          runId: 'r-none',
          step: 1,
          folder: '1',
          bytes: 9,
          validationLoss: null,
          best: false,
        });
      }),
    failsWith('not-found', /r-none/),
  );
  assert.equal(store.metrics.read(runId).steps.length, 0);
  assert.equal(store.runs.get(runId).step, 0);
});

test('logs come back in order, the latest ones if limited', (t) => {
  const store = temporaryStore(t);
  const runId = addRun(store);
  const entries = ['one', 'two', 'three'].map((message) => ({
    runId,
    level: 'warning' as const,
    message,
    time: '2025-01-01T00:00:00.000Z',
  }));
  for (const entry of entries) store.logs.append(entry);
  assert.deepEqual(store.logs.read(runId), entries);
  assert.deepEqual(store.logs.read(runId, 2), entries.slice(1));
});

test('name, tags and note change by themselves; what is left out stays', (t) => {
  const store = temporaryStore(t);
  const id = addRun(store, { name: 'first' });
  const before = store.runs.get(id);
  const tags = ['baseline', 'ünï, "quoted"'];
  assert.deepEqual(store.runs.update(id, { tags }), { ...before, tags });
  assert.deepEqual(store.runs.update(id, { note: 'two\nlines' }).tags, tags);
  assert.deepEqual(store.runs.update(id, { name: 'second', tags: [] }), {
    ...before,
    name: 'second',
    note: 'two\nlines',
  });
  assert.throws(() => store.runs.update('r-none', { name: 'x' }), failsWith('not-found', /r-none/));
});
