import assert from 'node:assert/strict';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { openStore } from './database.ts';
import { addRun, failsWith, startChild, stepMetric, temporaryStore } from './testing/fixtures.ts';

test('a run goes from queued to running to its end, and again', (t) => {
  const store = temporaryStore(t);
  const id = addRun(store);
  const running = store.runs.start(id);
  assert.equal(running.status, 'running');
  assert.ok(running.startedAt);

  const error = { code: 'diverged' as const, message: 'The loss became NaN at step 7.' };
  const failed = store.runs.finish(id, { status: 'failed', error });
  assert.deepEqual([failed.status, failed.error], ['failed', error]);
  assert.ok(failed.endedAt);

  const again = store.runs.enqueue(id);
  assert.deepEqual([again.status, again.error, again.endedAt], ['queued', null, null]);
  assert.equal(store.runs.start(id).startedAt, running.startedAt);
  assert.equal(store.runs.finish(id, { status: 'finished' }).status, 'finished');
});

test('a run that is queued or running here cannot be started a second time', (t) => {
  const store = temporaryStore(t);
  const id = addRun(store);
  assert.throws(() => store.runs.enqueue(id), failsWith('conflict', /already queued here/));
  assert.throws(() => store.runs.claim(id), failsWith('conflict', /already queued here/));
  store.runs.start(id);
  for (const again of ['enqueue', 'claim'] as const)
    assert.throws(() => store.runs[again](id), failsWith('conflict', /already running here/));
  assert.throws(() => store.runs.start(id), failsWith('conflict', /is running, not queued/));
});

test('a run that was ended cannot be ended again', (t) => {
  const store = temporaryStore(t);
  const id = addRun(store);
  store.runs.finish(id, { status: 'stopped' });
  assert.throws(
    () => store.runs.finish(id, { status: 'finished' }),
    failsWith('conflict', /is stopped and not in this process/),
  );
});

test('of several processes that claim a run at once, one gets it', async (t) => {
  const store = temporaryStore(t);
  const id = addRun(store);
  store.runs.finish(id, { status: 'stopped' });
  const holders = Array.from({ length: 4 }, () => startChild(t, 'hold', store.file, id));
  await Promise.all(holders.map(({ printed }) => printed(1)));
  const answers = holders.map(({ lines }) => lines[0]).sort();
  assert.equal(answers.filter((answer) => answer === 'running').length, 1);
  assert.equal(answers.filter((answer) => /already running in another/.test(answer)).length, 3);
});

test('another process’s run is refused and not recovered while it lives, and is once it is killed', async (t) => {
  const store = temporaryStore(t);
  const id = addRun(store);
  store.metrics.append(
    id,
    [1, 2, 3].map((step) => stepMetric(step)),
  );
  store.runs.finish(id, { status: 'stopped' });
  const child = startChild(t, 'hold', store.file, id);
  await child.printed(1);

  const mine = addRun(store);
  assert.equal(store.runs.get(id).status, 'running');
  assert.throws(
    () => store.runs.claim(id),
    failsWith('conflict', new RegExp(`another process \\(pid ${child.process.pid}\\)`)),
  );
  assert.throws(() => store.runs.finish(id, { status: 'stopped' }), failsWith('conflict', /hands/));
  assert.deepEqual(store.runs.recoverOrphans(), []);

  await child.kill();
  const recovered = store.runs.recoverOrphans();
  assert.deepEqual(
    recovered.map(({ run, was }) => [run.id, run.status, run.step, was]),
    [[id, 'interrupted', 3, 'running']],
  );
  assert.ok(recovered[0].run.endedAt);
  assert.equal(store.runs.get(mine).status, 'queued'); // its owner, this process, lives
  assert.equal(store.runs.claim(id).status, 'running');
});

test('a run of a killed process can be claimed without recovering first', async (t) => {
  const store = temporaryStore(t);
  const id = addRun(store);
  store.runs.finish(id, { status: 'stopped' });
  const child = startChild(t, 'hold', store.file, id);
  await child.printed(1);
  await child.kill();
  assert.equal(store.runs.claim(id).status, 'running');
});

test(
  'a process that merely reuses the owner’s pid does not hold its runs',
  { skip: process.platform !== 'linux' && 'process start times are known on Linux only' },
  (t) => {
    const store = temporaryStore(t);
    const id = addRun(store);
    const db = new Database(store.file);
    db.prepare("UPDATE runs SET owner_started = 'earlier boot/1' WHERE id = ?").run(id);
    db.close();
    assert.deepEqual(
      store.runs.recoverOrphans().map(({ run }) => run.id),
      [id],
    );
  },
);

test('a second store in the same process shares its ownership', (t) => {
  const store = temporaryStore(t);
  const id = addRun(store);
  const second = openStore(store.file);
  assert.deepEqual(second.runs.recoverOrphans(), []);
  assert.equal(second.runs.start(id).status, 'running');
  second.close();
});

test('a running run pauses and goes on; a paused one is as owned as a running one, and can end', (t) => {
  const store = temporaryStore(t);
  const id = addRun(store);
  assert.throws(
    () => store.runs.setPaused(id, true),
    failsWith('conflict', /is queued, not running/),
  );
  store.runs.start(id);
  assert.equal(store.runs.setPaused(id, true).status, 'paused');
  assert.equal(store.runs.list()[0].status, 'paused');
  assert.throws(() => store.runs.enqueue(id), failsWith('conflict', /already paused here/));
  assert.throws(() => store.runs.start(id), failsWith('conflict', /is paused, not queued/));
  assert.throws(
    () => store.runs.remove(id),
    failsWith('conflict', /is paused and cannot be deleted/),
  );
  assert.equal(store.runs.setPaused(id, false).status, 'running');
  store.runs.setPaused(id, true);
  assert.equal(store.runs.finish(id, { status: 'stopped' }).status, 'stopped');
  assert.throws(() => store.runs.setPaused(id, true), failsWith('conflict', /is stopped/));
  assert.equal(store.runs.claim(id).status, 'running');
});

test('a paused run of a process that died is recovered and was paused', (t) => {
  const store = temporaryStore(t);
  const id = addRun(store);
  store.runs.start(id);
  store.runs.setPaused(id, true);
  const db = new Database(store.file);
  db.prepare("UPDATE runs SET owner_pid = 999999999, owner_started = 'earlier boot/1'").run();
  db.close();
  assert.deepEqual(
    store.runs.recoverOrphans().map(({ run, was }) => [run.id, run.status, was]),
    [[id, 'interrupted', 'paused']],
  );
});
