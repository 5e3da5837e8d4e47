import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  keptForm,
  parseChoices,
  problemsOf,
  suggestsListops,
  tokenizerOf,
  tokenizerWords,
  usualChoices,
} from './importChoices.ts';

test('the usual choices are usable, as bytes and as byte pairs', () => {
  assert.deepEqual(problemsOf(usualChoices), { tokenizer: null, validationShare: null });
  assert.equal(tokenizerOf(usualChoices), 'byte');
  const pairs = { ...usualChoices, tokenizer: 'bpe' as const };
  assert.equal(tokenizerOf(pairs), 'bpe:8000');
  assert.deepEqual(problemsOf(pairs), { tokenizer: null, validationShare: null });
});

test('each field that is not usable gets its own sentence', () => {
  const empty = problemsOf({ tokenizer: 'bpe', vocabulary: null, validationShare: null });
  assert.match(empty.tokenizer ?? '', /entries is empty, but must be a whole number from 256/u);
  assert.match(
    empty.validationShare ?? '',
    /^Validation share is empty, but must be a number greater than 0/u,
  );
  const { tokenizer, validationShare } = problemsOf({
    ...{ tokenizer: 'bpe', vocabulary: 80.5, validationShare: 0.7 },
  });
  assert.match(tokenizer ?? '', /entries is 80.5, but/u);
  assert.match(
    validationShare ?? '',
    /^Validation share is 0.7, but must be a number greater than 0 and at most 0.5/u,
  );
});

test('a vocabulary size does not matter for bytes', () => {
  const { tokenizer } = problemsOf({ ...usualChoices, vocabulary: null });
  assert.equal(tokenizer, null);
});

test('choices are kept as they were, and what is spoilt gives the usual ones', () => {
  const choices = { tokenizer: 'bpe', vocabulary: 512, validationShare: 0.05 } as const;
  assert.deepEqual(parseChoices(keptForm(choices)), choices);
  for (const spoilt of [null, '', 'bpe', 'bpe 8000 7', 'bpe x 0.1', 'byte null null'])
    assert.deepEqual(parseChoices(spoilt), usualChoices);
});

test('the limits that the sentence names are those of the configuration', () => {
  for (const vocabulary of [256, 30_000])
    assert.equal(problemsOf({ ...usualChoices, tokenizer: 'bpe', vocabulary }).tokenizer, null);
  for (const vocabulary of [255, 30_001])
    assert.notEqual(problemsOf({ ...usualChoices, tokenizer: 'bpe', vocabulary }).tokenizer, null);
});

test('a tokenizer is named in words', () => {
  assert.equal(tokenizerWords('byte'), 'bytes');
  assert.equal(tokenizerWords('bpe:8000'), 'byte pairs (8,000)');
  assert.equal(tokenizerWords('listops'), 'ListOps');
});

test('ListOps is a choice of its own, kept like the others, and suggested for tables only', () => {
  const listops = { ...usualChoices, tokenizer: 'listops' } as const;
  assert.equal(tokenizerOf(listops), 'listops');
  assert.deepEqual(problemsOf(listops), { tokenizer: null, validationShare: null });
  assert.deepEqual(parseChoices(keptForm(listops)), listops);
  assert.equal(suggestsListops('basic_train.TSV', usualChoices), true);
  assert.equal(suggestsListops('basic_train.tsv.txt', usualChoices), false);
  assert.equal(suggestsListops('basic_train.tsv', listops), false);
});
