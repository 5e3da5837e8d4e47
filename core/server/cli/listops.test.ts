/** `listops`, and what becomes of its files. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { CliUnderTest } from './testing/runCli.ts';

const cli = new CliUnderTest();
after(() => cli.remove());

test('a file is generated, never overwritten, and imported', async () => {
  const options = ['--examples', '50', '--max-length', '20', '--operators', 'min,SM'];
  const [record] = await cli.records('listops', '--out', 'small.tsv', ...options);
  assert.deepEqual(
    [record.type, record.examples, record.maxLength, record.depth, record.operators],
    ['listops', 50, 20, 5, ['MIN', 'SM']],
  );
  const text = readFileSync(cli.path('small.tsv'), 'utf8');
  assert.equal(text.match(/^\d\t\[(MIN|SM) .* \]$/gmu)?.length, 50);

  const again = await cli.run('listops', '--out', 'small.tsv');
  assert.equal(again.code, 1);
  assert.match(again.stderr, /something at .*small\.tsv already, and nothing is overwritten/u);
  assert.equal(readFileSync(cli.path('small.tsv'), 'utf8'), text);

  const next = await cli.succeed('listops', '--out', 'other.tsv', ...options, '--seed', '2');
  assert.match(next, /^Next: switchyard import .*other\.tsv --tokenizer listops/mu);
  assert.notEqual(readFileSync(cli.path('other.tsv'), 'utf8'), text);

  const stdout = await cli.succeed('import', 'small.tsv', '--tokenizer', 'listops');
  assert.match(stdout, /^small \(d-\w+\) .*listops, vocabulary 18$/mu);
});

test('a file given to a classifier is read as examples', async () => {
  cli.write('long.tsv', `4\t[MAX ${'4 '.repeat(40)}]\n`.repeat(20));
  const args = ['--set', 'task=classification', 'context=16', '--data', 'long.tsv'];
  const { code, stderr } = await cli.run('train', 'tiny-dense', ...args);
  assert.match(stderr, /longest example of dataset "long" has 42 tokens, but the context is 16/u);
  assert.equal(code, 1);
});

test('wrong options name what would be right', async () => {
  for (const [args, code, message] of [
    [[], 2, /^Required option '--out/u],
    [
      ['--out', 'x.tsv', '--operators', 'MIN,AVG'],
      2,
      /^--operators has "AVG", but the operators are/u,
    ],
    [['--out', 'x.tsv', '--operators', 'MIN,min'], 2, /"MIN" more than once/u],
    [
      ['--out', 'x.tsv', '--depth', '0'],
      2,
      /'0' is invalid\. It must be a whole number of at least 1/u,
    ],
    [
      ['--out', 'x.tsv', '--min-length', '61'],
      1,
      /minLength is 61, but must be at most maxLength/u,
    ],
    [['--out', 'none/x.tsv'], 1, /there is no such file or folder/u],
  ] as const) {
    const result = await cli.run('listops', ...args);
    assert.match(result.stderr, message);
    assert.equal(result.code, code);
  }
});
