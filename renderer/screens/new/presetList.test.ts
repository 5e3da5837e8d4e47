import assert from 'node:assert/strict';
import { test } from 'node:test';
import { presets } from '../../../core/contract/presets.ts';
import { firstFor, groupsOf, taskOf, type Task } from './presetList.ts';

const names = (task: Task | null, query: string): string[] =>
  groupsOf(task, query).flatMap(({ parts }) =>
    parts.flatMap((part) => part.presets.map(({ preset }) => preset.name)),
  );

test('ListOps data are offered classifiers only, a text never one, and no data everything', () => {
  assert.ok(names('classification', '').length > 0);
  assert.ok(names('classification', '').every((name) => name.startsWith('tiny-listops')));
  assert.ok(!names('language-model', '').some((name) => name.includes('listops')));
  assert.deepEqual(names(null, '').toSorted(), presets.map(({ name }) => name).toSorted());
});

test('the tiny ones come first; the paper’s are apart by dataset', () => {
  const groups = groupsOf('language-model', '');
  assert.deepEqual(
    groups.map(({ group }) => group),
    ['tiny', 'paper'],
  );
  const paper = groups[1].parts.map(({ title }) => title);
  assert.deepEqual(paper, ['C4', 'WikiText-103', 'peS2o', 'enwik8']);
});

test('the dataset that heads a list is not in every title of it again', () => {
  const listed = groupsOf(null, '').flatMap(({ parts }) => parts.flatMap((part) => part.presets));
  for (const { preset, title, rest } of listed) assert.equal(title + rest, preset.title);
  const moa = listed.find(({ preset }) => preset.name === 'moa-262m-h12-xl-wikitext103');
  assert.deepEqual([moa?.title, moa?.rest], ['MoA 262M, 12 heads', ', WikiText-103']);
});

test('every word of a search must be there, in whatever order and case', () => {
  const found = names(null, ' wikitext  MoA 47m');
  assert.ok(found.length > 0);
  for (const name of found) assert.match(name, /^moa-47m.*wikitext103/u);
  assert.deepEqual(names(null, 'nothing like it'), []);
});

test('what a dataset is for, and what to start from for it', () => {
  assert.equal(taskOf({ tokenizer: 'listops' }), 'classification');
  assert.equal(taskOf({ tokenizer: 'bpe:8000' }), 'language-model');
  assert.match(firstFor('classification').name, /listops/u);
  assert.equal(firstFor('language-model').name, presets[0].name);
});
