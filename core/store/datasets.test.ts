import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addRun, failsWith, newDataset, temporaryStore } from './testing/fixtures.ts';

test('a dataset comes back as it was added', (t) => {
  const { datasets } = temporaryStore(t);
  const description = newDataset({ sourceBytes: 30_000_000_000 });
  const added = datasets.add(description);
  assert.match(added.id, /^d-[0-9a-z]{8}$/);
  assert.deepEqual(datasets.get(added.id), {
    ...description,
    id: added.id,
    createdAt: added.createdAt,
  });
  assert.deepEqual(datasets.list(), [added]);
});

test('a second dataset of the same name is refused', (t) => {
  const { datasets } = temporaryStore(t);
  const { id } = datasets.add(newDataset());
  assert.throws(
    () => datasets.add(newDataset({ sourceSha256: 'b'.repeat(64) })),
    failsWith('conflict', new RegExp(`"shakespeare" \\(${id}\\)`)),
  );
  assert.equal(datasets.list().length, 1);
});

test('an identical import is recognised by content, tokenizer and split', (t) => {
  const { datasets } = temporaryStore(t);
  const added = datasets.add(newDataset());
  assert.deepEqual(datasets.findIdentical('a'.repeat(64), 'byte', 0.1), added);
  assert.equal(datasets.findIdentical('b'.repeat(64), 'byte', 0.1), null);
  assert.equal(datasets.findIdentical('a'.repeat(64), 'bpe:500', 0.1), null);
  assert.equal(datasets.findIdentical('a'.repeat(64), 'byte', 0.2), null);
});

test('a dataset is found by id, name and beginning of its id; otherwise the names are listed', (t) => {
  const { datasets } = temporaryStore(t);
  assert.throws(() => datasets.find('novel'), failsWith('not-found', /switchyard import/));
  const added = datasets.add(newDataset({ id: 'd-abcd1234' }));
  for (const reference of ['d-abcd1234', 'shakespeare', 'd-ab', 'abcd'])
    assert.deepEqual(datasets.find(reference), added);
  assert.throws(() => datasets.find('novel'), failsWith('not-found', /"novel".*"shakespeare"/));
});

test('a dataset with runs cannot be removed; without them it can', (t) => {
  const store = temporaryStore(t);
  const runId = addRun(store);
  const { id } = store.datasets.find('shakespeare');
  assert.throws(
    () => store.datasets.remove(id),
    failsWith(
      'conflict',
      /^Dataset "shakespeare" \(d-\w+\) cannot be deleted: 1 run uses it, "first" \(r-\w+\)\. Delete that first\.$/,
    ),
  );
  store.runs.finish(runId, { status: 'stopped' });
  store.runs.remove(runId);
  store.datasets.remove(id);
  assert.throws(() => store.datasets.remove(id), failsWith('not-found', new RegExp(id)));
});

test('a dataset is renamed, but not to the name of another', (t) => {
  const store = temporaryStore(t);
  const one = store.datasets.add(newDataset({ name: 'one' }));
  const two = store.datasets.add(newDataset({ name: 'two', tokenizer: 'bpe:300' }));
  assert.deepEqual(store.datasets.rename(one.id, 'uno'), { ...one, name: 'uno' });
  assert.equal(store.datasets.rename(one.id, 'uno').name, 'uno');
  assert.throws(
    () => store.datasets.rename(two.id, 'uno'),
    failsWith('conflict', new RegExp(`already a dataset named "uno" \\(${one.id}\\)`)),
  );
  assert.throws(() => store.datasets.rename('d-none', 'x'), failsWith('not-found', /d-none/));
});
