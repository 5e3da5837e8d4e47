/** Importing files of ListOps examples. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { SwitchyardError } from '../contract/errors.ts';
import { listopsOptions } from '../contract/listops.ts';
import { importText, type DatasetFacts } from './importText.ts';
import { writeListops } from './listopsGenerator.ts';
import { listopsTokenizer } from './listopsTokenizer.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchyard-listops-'));
after(() => rmSync(folder, { recursive: true }));
const datasetsFolder = join(folder, 'datasets');
const path = join(folder, 'examples.tsv');

let ids = 0;
async function importLines(content: string, validationShare = 0.25): Promise<DatasetFacts> {
  writeFileSync(path, content);
  const id = `d${ids++}`;
  return importText({ path, datasetsFolder, id, tokenizer: 'listops', validationShare });
}

/** Both parts as text. */
const parts = ({ id }: DatasetFacts): string[] =>
  ['train.tokens', 'validation.tokens'].map((name) =>
    listopsTokenizer.decode(readFileSync(join(datasetsFolder, id, name))),
  );

test('each line becomes its tokens and a class token; the last lines are for validation', async () => {
  const lines = ['2\t[MIN 4 2 ]', '9\t( ( ( [MAX 9 ) 0 ) ] )', '1\t[SM 5 6 ]', '3\t[FIRST 3 8 ]'];
  const wanted = ['[MIN 4 2 ] = 2\n[MAX 9 0 ] = 9\n[SM 5 6 ] = 1\n', '[FIRST 3 8 ] = 3\n'];
  for (const content of [
    lines.map((line) => `${line}\n`).join(''),
    lines.join('\n'),
    lines.join('\r\n'),
    lines.map((line) => `${line}\r\n`).join(''),
  ]) {
    const facts = await importLines(content);
    assert.deepEqual(parts(facts), wanted);
    assert.deepEqual(
      [facts.tokenizer, facts.vocabulary, facts.trainTokens, facts.validationTokens],
      ['listops', 18, 15, 5],
    );
  }
});

test('a file of many blocks keeps every line, and splits at a line', async () => {
  writeListops(path, listopsOptions({ examples: 3001 }));
  const content = readFileSync(path, 'utf8');
  const [train, validation] = parts(await importLines(content, 0.1));
  const wanted = content.replace(/^(\d)\t(.*)$/gmu, '$2 = $1');
  assert.equal(train + validation, wanted);
  assert.equal(validation.split('\n').length - 1, 300);
});

test('a part may be empty; before a run that is said', async () => {
  const [train, validation] = parts(await importLines('5\t[MAX 5 0 ]\n', 0.1));
  assert.deepEqual([train, validation], ['[MAX 5 0 ] = 5\n', '']);
});

const good = '5\t[MAX 5 0 ]\n';
const bad: Record<string, [content: string, message: RegExp]> = {
  'a wrong label': [
    `${good.repeat(3)}4\t[MAX 5 0 ]\n${good}`,
    /examples\.tsv, line 4 has the label 4, but the value of its expression is 5: "\[MAX 5 0 \]"/,
  ],
  'a wrong label in the validation part': [
    `${good.repeat(9)}6\t[MAX 5 0 ]`,
    /line 10 has the label 6/,
  ],
  'a label that is no digit': [
    `x\t[MAX 5 0 ]\n`,
    /line 1 has the label "x"; a line of ListOps data is/,
  ],
  'no tab': [`${good}5 [MAX 5 0 ]\n`, /line 2 is "5 \[MAX 5 0 \]", without a tab/],
  'an empty line': [`${good}\n${good}`, /line 2 is "", without a tab/],
  'an empty line at the end': [`${good}\n`, /line 2 is ""/],
  'what is no expression': [`${good}5\t[MAX 5 0\n`, /line 2: word 1, "\[MAX", is not closed/],
  'no expression': [`5\t\n`, /line 1: there is no expression/],
  'a byte-order mark': [`\ufeff${good}`, /line 1 begins with a byte-order mark/],
  'no line ends at all': [`5\t${'0 '.repeat(600_000)}`, /line 1 is longer than 1 MiB/],
  'an empty file': ['', /examples\.tsv is empty/],
};
for (const [name, [content, message]] of Object.entries(bad))
  test(`refused, with the line: ${name}`, async () => {
    await assert.rejects(importLines(content), (error) => {
      assert.ok(error instanceof SwitchyardError, String(error));
      assert.equal(error.code, 'invalid-data');
      assert.match(error.message, message);
      return true;
    });
    assert.ok(readdirSync(datasetsFolder).every((entry) => !entry.startsWith('.')));
  });
