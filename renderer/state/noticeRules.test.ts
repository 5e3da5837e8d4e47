import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addNotice, afterNavigation, afterReturn, type Notice } from './noticeRules.ts';

const failure = (id: number, text: string, change: Partial<Notice> = {}): Notice => ({
  ...{ id, kind: 'failed', text, times: 1, at: 0 },
  error: { code: 'not-found', message: text },
  ...change,
});
const done = (id: number): Notice => ({ id, kind: 'done', text: 'Deleted.', times: 1, at: 0 });
const add = (...all: Notice[]): readonly Notice[] => all.reduce<readonly Notice[]>(addNotice, []);

test('the same failure again is counted and comes last', () => {
  const list = add(failure(1, 'a'), failure(2, 'b'), failure(3, 'a'));
  assert.deepEqual(
    list.map(({ id, times }) => [id, times]),
    [
      [2, 1],
      [3, 2],
    ],
  );
});

test('what was done is said anew each time, and three stand at most', () => {
  assert.equal(add(done(1), done(2)).length, 2);
  assert.deepEqual(
    add(done(1), done(2), failure(3, 'a'), done(4)).map(({ id }) => id),
    [2, 3, 4],
  );
});

test('another screen takes old failures away, not what failed on the way there', () => {
  const list = [failure(1, 'old'), failure(2, 'new', { at: 9_900 }), done(3)];
  assert.deepEqual(
    afterNavigation(list, 10_000).map(({ id }) => id),
    [2, 3],
  );
});

test('a connection takes away what was said of its loss', () => {
  const lost = failure(1, 'no connection', { error: { code: 'interrupted', message: '' } });
  assert.deepEqual(
    afterReturn([lost, failure(2, 'a')]).map(({ id }) => id),
    [2],
  );
});
