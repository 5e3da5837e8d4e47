import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../../charts/testing/records.ts';
import { everything, listRuns, tagsOf } from './filter.ts';

const all = [
  run('run 10', { tags: ['paper', 'long'], bestValidationLoss: 1.5 }),
  run('run 9', { tags: ['long'], status: 'queued', bestValidationLoss: null }),
  run('dense', { status: 'running', note: 'The baseline\nof all', bestValidationLoss: 1.4 }),
];
const names = (change: Partial<typeof everything>): string[] =>
  listRuns(all, { ...everything, ...change }).map(({ name }) => name);

test('every word must occur somewhere in what describes a run', () => {
  assert.deepEqual(names({ text: '' }), ['run 10', 'run 9', 'dense']);
  assert.deepEqual(names({ text: 'RUN paper' }), ['run 10']);
  assert.deepEqual(names({ text: 'baseline' }), ['dense']);
  assert.deepEqual(names({ text: 'switchhead' }).length, 3);
  assert.deepEqual(names({ text: 'no such' }), []);
});

test('status and tag narrow the list', () => {
  assert.deepEqual(names({ status: 'active' }), ['run 9', 'dense']);
  assert.deepEqual(names({ status: 'finished', tag: 'long' }), ['run 10']);
});

test('orders: names by their numbers, losses lowest first and unknown last, the active first', () => {
  assert.deepEqual(names({ sort: 'name' }), ['dense', 'run 9', 'run 10']);
  assert.deepEqual(names({ sort: 'loss' }), ['dense', 'run 10', 'run 9']);
  assert.deepEqual(names({ sort: 'status' }), ['dense', 'run 9', 'run 10']);
});

test('tags are offered by how often they are used', () => {
  assert.deepEqual(tagsOf(all), ['long', 'paper']);
});
