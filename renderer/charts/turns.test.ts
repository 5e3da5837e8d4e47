import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTurns } from './turns.ts';

test('one piece of work a frame, in order, also what is asked for while working', () => {
  const frames: (() => void)[] = [];
  const done: string[] = [];
  const takeTurn = createTurns((work) => frames.push(work));
  takeTurn(() => {
    done.push('first');
    takeTurn(() => done.push('third'));
  });
  takeTurn(() => done.push('second'));
  const seen: string[] = [];
  while (frames.length > 0) {
    assert.equal(frames.length, 1);
    frames.shift()?.();
    seen.push(done.join(' '));
  }
  assert.deepEqual(seen, ['first', 'first second', 'first second third']);
});

test('after a pause it works again', () => {
  const frames: (() => void)[] = [];
  let done = 0;
  const takeTurn = createTurns((work) => frames.push(work));
  for (let i = 0; i < 2; i++) {
    takeTurn(() => done++);
    frames.shift()?.();
  }
  assert.equal(done, 2);
  assert.equal(frames.length, 0);
});
