import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bringsFiles, dropProblem, nameProblem, readDrop } from './droppedFiles.ts';

const file = (name: string) => new File(['text'], name);
const item = (name: string, isDirectory = false) => ({
  kind: 'file',
  getAsFile: () => file(name),
  webkitGetAsEntry: () => ({ isDirectory, name }),
});
const text = { kind: 'string', getAsFile: () => null };

test('files are taken, folders are told apart, other content is left out', () => {
  const { files, folders } = readDrop({ items: [item('a.txt'), text, item('books', true)] });
  assert.deepEqual(
    files.map(({ name }) => name),
    ['a.txt'],
  );
  assert.deepEqual(folders, ['books']);
});

test('a browser that cannot tell folders gives the file', () => {
  const { files } = readDrop({ items: [{ kind: 'file', getAsFile: () => file('a.txt') }] });
  assert.equal(files.length, 1);
});

test('folders and empty drops get a sentence, files do not', () => {
  assert.equal(dropProblem({ files: [file('a.txt')], folders: [] }), null);
  assert.match(dropProblem({ files: [], folders: ['books'] }) ?? '', /“books” is a folder/u);
  assert.match(dropProblem({ files: [], folders: ['a', 'b'] }) ?? '', /“a”, “b” are folders/u);
  assert.match(dropProblem({ files: [], folders: [] }) ?? '', /No file was dropped/u);
});

test('only drags with files are of interest', () => {
  assert.equal(bringsFiles(['text/plain', 'Files']), true);
  assert.equal(bringsFiles(['text/uri-list']), false);
  assert.equal(bringsFiles(undefined), false);
});

test('a name that is too long for an upload is told with what helps; bytes count, not letters', () => {
  assert.equal(nameProblem(`${'a'.repeat(196)}.txt`), null);
  assert.match(nameProblem(`${'a'.repeat(197)}.txt`) ?? '', /201 bytes long.*Rename the file/u);
  assert.match(nameProblem(`${'あ'.repeat(70)}.txt`) ?? '', /214 bytes long/u);
});
