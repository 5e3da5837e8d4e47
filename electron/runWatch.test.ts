import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Run, RunStatus } from '../core/contract/records.ts';
import { runNotice } from './runNotice.ts';
import { createRunWatch, meanProgress, type RunWatch } from './runWatch.ts';
import { fakeRun } from './testing/fakeRun.ts';

interface Watched {
  watch: RunWatch;
  ended: Run[];
  /** Lets the time pass in which a new core resumes runs. */
  readonly pass: () => void;
}

function watched(runs: Run[]): Watched {
  const ended: Run[] = [];
  const timers: (() => void)[] = [];
  const watch = createRunWatch({
    onChange: () => undefined,
    onEnded: (run) => ended.push(run),
    setTimeout: (work) => timers.push(work),
  });
  watch.replace(runs);
  return {
    watch,
    ended,
    pass: () => {
      for (const work of timers.splice(0)) work();
    },
  };
}

const changed = (run: Run) => ({ type: 'run-changed', run }) as const;
const endedRun = (status: RunStatus, endedAt = '2026-01-02T00:00:00.000Z'): Run =>
  fakeRun({ status, endedAt });

test('what had ended before is not told', () => {
  const { watch, ended, pass } = watched([
    endedRun('finished'),
    fakeRun({ id: 'r-2', status: 'interrupted' }),
  ]);
  watch.receive(changed({ ...endedRun('finished'), note: 'a remark' }));
  pass();
  assert.deepEqual(ended, []);
});

test('each ending is told once, also of a run that began and ended between two events', () => {
  const { watch, ended } = watched([fakeRun({})]);
  watch.receive(changed(endedRun('finished')));
  watch.receive(changed({ ...endedRun('finished'), name: 'renamed' }));
  watch.receive(changed(fakeRun({ id: 'r-2', status: 'failed' })));
  // Resumed, and failed again at once.
  watch.receive(changed(fakeRun({ id: 'r-2', status: 'failed', endedAt: '2026-01-03' })));
  assert.deepEqual(
    ended.map(({ id, status }) => `${id} ${status}`),
    ['r-1 finished', 'r-2 failed', 'r-2 failed'],
  );
});

test('an ending while there was no connection is told after it', () => {
  const { watch, ended } = watched([fakeRun({})]);
  watch.replace([endedRun('failed')]);
  assert.equal(ended.length, 1);
});

test('a run that a new core resumes was not interrupted; one that it leaves was', () => {
  const { watch, ended, pass } = watched([fakeRun({}), fakeRun({ id: 'r-2' })]);
  watch.replace([endedRun('interrupted'), fakeRun({ id: 'r-2', status: 'interrupted' })]);
  watch.receive(changed(fakeRun({ status: 'queued' })));
  pass();
  assert.deepEqual(
    ended.map(({ id, status }) => `${id} ${status}`),
    ['r-2 interrupted'],
  );
});

test('removed runs are forgotten', () => {
  const { watch } = watched([fakeRun({}), fakeRun({ id: 'r-2' })]);
  watch.receive({ type: 'run-removed', runId: 'r-1' });
  assert.deepEqual(
    watch.active().map(({ id }) => id),
    ['r-2'],
  );
  watch.replace([]);
  assert.deepEqual(watch.active(), []);
});

test('notifications are for finished, failed and interrupted runs, not for what somebody did', () => {
  const error = { code: 'diverged', message: 'The loss is not a number.' } as const;
  assert.equal(runNotice(fakeRun({ status: 'finished' }))?.title, 'first finished');
  assert.deepEqual(runNotice(fakeRun({ status: 'failed', error })), {
    title: 'first failed',
    body: 'The loss is not a number.',
  });
  assert.match(runNotice(fakeRun({ status: 'interrupted', step: 7 }))?.body ?? '', /step 7/u);
  for (const status of ['stopped', 'paused', 'queued', 'running'] as const)
    assert.equal(runNotice(fakeRun({ status })), null);
});

test('progress is the mean over what is running', () => {
  const { steps } = fakeRun({}).config.training;
  const runs = [
    fakeRun({ step: steps / 2 }),
    fakeRun({ step: steps }),
    fakeRun({ status: 'queued' }),
  ];
  assert.equal(meanProgress(runs), 0.75);
  assert.equal(meanProgress([fakeRun({ status: 'paused' })]), null);
});
