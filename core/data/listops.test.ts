import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SwitchyardError } from '../contract/errors.ts';
import { listopsOperators, listopsVocabulary } from '../contract/listops.ts';
import { applyOperator, listopsWords, parseListops } from './listops.ts';
import { listopsTokenizer } from './listopsTokenizer.ts';
import { loadDecoder, loadTokenizer } from './tokenizer.ts';

test('operators are those of the paper', () => {
  const operands = [7, 2, 9, 2];
  assert.equal(applyOperator('MIN', operands), 2);
  assert.equal(applyOperator('MAX', operands), 9);
  assert.equal(applyOperator('FIRST', operands), 7);
  assert.equal(applyOperator('LAST', operands), 2);
  assert.equal(applyOperator('SM', operands), 0, 'the sum modulo 10');
  assert.equal(applyOperator('MED', operands), 4, 'the floor of the mean of 2 and 7');
  assert.equal(applyOperator('MED', [9, 1, 5]), 5);
});

test('an expression is one token a word, with or without the round brackets of the tree', () => {
  assert.equal(listopsWords.length, listopsVocabulary);
  const flat = parseListops('[MAX 2 9 [MIN 4 7 ] 0 ]', 'here');
  assert.deepEqual(flat, { tokens: [12, 3, 10, 11, 5, 8, 17, 1, 17], value: 9 });
  const tree = '( ( ( ( ( [MAX 2 ) 9 ) ( ( ( [MIN 4 ) 7 ) ] ) ) 0 ) ] )';
  assert.deepEqual(parseListops(tree, 'here'), flat);
  assert.deepEqual(parseListops('7', 'here'), { tokens: [8], value: 7 });
  const depth = 5000; // no recursion
  const nested = parseListops(`${'[SM 1 '.repeat(depth)}0 ${'] '.repeat(depth)}`, 'here');
  assert.equal(nested.value, depth % 10);
  for (const operator of listopsOperators) {
    // More operands than a call may have arguments; a line of 1 MiB holds as many.
    const { value } = parseListops(`[${operator} ${'7 '.repeat(500_000)}]`, 'here');
    assert.equal(value, operator === 'SM' ? 0 : 7, operator);
  }
});

test('what is no expression is refused with the word and the reason', () => {
  for (const [expression, message] of [
    ['[MAX 2 9', /^here: word 1, "\[MAX", is not closed/],
    ['[MAX 2 [MIN 4 7 ] 0', /word 1, "\[MAX", is not closed/],
    ['2 ]', /word 2, "\]", comes after the end/],
    ['[MAX 2 ] 3', /word 4, "3", comes after the end/],
    ['] 2', /word 1, "\]", closes no operator/],
    ['[MAX 2 [MIN ] ]', /word 3, "\[MIN", has no operands/],
    ['[AVG 2 3 ]', /word 1, "\[AVG", is none of the digits 0 to 9, \[MIN, .*separated by spaces/],
    ['[MAX 2 13 ]', /word 3, "13", is none of/],
    ['[MAX 2 3]', /word 3, "3\]", is none of/],
    ['[PAD]', /"\[PAD\]", is none of/],
    [' ( ) ', /^here: there is no expression/],
  ] as const)
    assert.throws(
      () => parseListops(expression, 'here'),
      (error) =>
        error instanceof SwitchyardError &&
        error.code === 'invalid-data' &&
        message.test(error.message),
      expression,
    );
});

test('the tokenizer reads back what it writes, and survives its tokenizer.json', async () => {
  const text = '[MAX 2 9 [MIN 4 7 ] 0 ] = 9\n[SM 5 6 ] = 1\n';
  const json = listopsTokenizer.toJson();
  const loaded = await loadTokenizer(json, 'listops');
  assert.equal(loaded.vocabulary, 18);
  const tokens = await loaded.encode(text);
  assert.deepEqual([...tokens.slice(8)], [17, 27, 14, 6, 7, 17, 19]);
  assert.equal(loaded.decode(tokens), text);
  const stream = loadDecoder(json).stream();
  assert.equal([...tokens].map((token) => stream.push(token)).join('') + stream.end(), text);
  await assert.rejects(async () => loaded.encode('[MAX 2 x ]'), /"x" is no word of ListOps/);
  await assert.rejects(
    loadTokenizer(json, 'byte'),
    /holds a listops tokenizer.*recorded with "byte"/,
  );
});

test('another library reads the same tokens from its tokenizer.json', async () => {
  const { Tokenizer } = await import('tokenizers');
  const other = Tokenizer.fromString(listopsTokenizer.toJson());
  const text = '[MED 2 9 [FIRST 4 7 ] 0 ]';
  const { tokens } = parseListops(text, 'here');
  assert.deepEqual((await other.encode(text)).getIds(), tokens);
  await assert.rejects(other.encode('[AVG 2 ]'));
});

const published = ['test.tsv', 'test_d5f.tsv'].map((name) =>
  fileURLToPath(new URL(`../../../shared/data/listops/${name}`, import.meta.url)),
);
test(
  'every label of the published files is the value of its expression',
  { skip: published.every(existsSync) ? false : `${published[0]} is not there` },
  () => {
    const lines = published.flatMap((path) => readFileSync(path, 'utf8').trimEnd().split('\n'));
    assert.equal(lines.length, 10_500);
    for (const [index, line] of lines.entries()) {
      const [label, expression] = line.split('\t');
      assert.equal(parseListops(expression, `line ${index + 1}`).value, Number(label), line);
    }
  },
);
