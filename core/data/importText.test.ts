import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SwitchyardError } from '../contract/errors.ts';
import { importText, type DatasetFacts } from './importText.ts';
import { sourceHash } from './textSource.ts';
import { openTokenFile, tokenDtype } from './tokenFile.ts';
import { loadTokenizer } from './tokenizer.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchyard-import-'));
after(() => rmSync(folder, { recursive: true }));
const datasetsFolder = join(folder, 'datasets');

const shakespeare = fileURLToPath(new URL('../../samples/tinyshakespeare.txt', import.meta.url));

let files = 0;
function textFile(content: string | Uint8Array): string {
  const path = join(folder, `text-${files++}.txt`);
  writeFileSync(path, content);
  return path;
}

let ids = 0;
function importFile(
  path: string,
  tokenizer = 'byte',
  validationShare = 0.1,
): Promise<DatasetFacts> {
  return importText({ path, datasetsFolder, id: `d${ids++}`, tokenizer, validationShare });
}

/** Decodes both parts of a dataset folder. */
async function parts(facts: DatasetFacts): Promise<[train: string, validation: string]> {
  const at = (name: string): string => join(datasetsFolder, facts.id, name);
  const tokenizer = await loadTokenizer(
    readFileSync(at('tokenizer.json'), 'utf8'),
    facts.tokenizer,
  );
  assert.equal(tokenizer.vocabulary, facts.vocabulary);
  const decode = (name: string, count: number): string => {
    const file = openTokenFile(at(name), tokenDtype(facts.vocabulary), count);
    const tokens = new Int32Array(count);
    file.read(0, count, tokens);
    file.close();
    return tokenizer.decode(tokens);
  };
  return [
    decode('train.tokens', facts.trainTokens),
    decode('validation.tokens', facts.validationTokens),
  ];
}

const text = Array.from(
  { length: 400 },
  (_, i) => `Line ${i}: naïve café, 日本語 🙂\r\n\n  next\n`,
).join('');

for (const tokenizer of ['byte', 'bpe:500']) {
  test(`${tokenizer}: a folder with four files whose tokens give the text back`, async () => {
    const path = textFile(`\ufeff${text}`);
    const phases: string[] = [];
    let last = 0;
    const facts = await importText({
      path,
      datasetsFolder,
      id: `whole-${tokenizer.replace(':', '')}`,
      tokenizer,
      validationShare: 0.2,
      onProgress({ phase, done, total }) {
        if (phases.at(-1) !== phase) phases.push(phase);
        assert.ok(done <= total);
        last = done / total;
      },
    });
    assert.deepEqual(phases, [
      'reading',
      ...(tokenizer === 'byte' ? [] : ['training']),
      'encoding',
    ]);
    assert.equal(last, 1);
    const at = join(datasetsFolder, facts.id);
    assert.deepEqual(readdirSync(at).sort(), [
      'dataset.json',
      'tokenizer.json',
      'train.tokens',
      'validation.tokens',
    ]);
    const [train, validation] = await parts(facts);
    assert.equal(train + validation, `\ufeff${text}`);
    assert.ok(train.endsWith('\n'), 'validation starts with a line');
    assert.ok(Math.abs(validation.length / text.length - 0.2) < 0.01);
    assert.equal(facts.source, path);
    assert.equal(facts.sourceBytes, Buffer.byteLength(text) + 3);
    assert.equal(facts.sourceSha256, createHash('sha256').update(readFileSync(path)).digest('hex'));
    assert.equal(await sourceHash(path), facts.sourceSha256);
    const {
      format,
      splitByte,
      tokenDtype: dtype,
      ...recorded
    } = JSON.parse(readFileSync(join(at, 'dataset.json'), 'utf8')) as Record<string, unknown>;
    assert.deepEqual(recorded, facts);
    assert.deepEqual(
      [format, splitByte, dtype],
      [1, Buffer.byteLength(train), tokenizer === 'byte' ? 'u8' : 'u16'],
    );
  });
}

test('bpe learns from the training part alone', async () => {
  const facts = await importFile(textFile(`${'ab '.repeat(900)}\n${'xyz '.repeat(70)}`), 'bpe:400');
  const json = readFileSync(join(datasetsFolder, facts.id, 'tokenizer.json'), 'utf8');
  assert.ok(json.includes('"ab"'));
  assert.ok(!json.includes('"xy"') && !json.includes('"yz"'));
});

test('bpe by blocks equals encoding each part at once', async () => {
  const facts = await importFile(shakespeare, 'bpe:2000');
  const at = (name: string): string => join(datasetsFolder, facts.id, name);
  const tokenizer = await loadTokenizer(readFileSync(at('tokenizer.json'), 'utf8'), 'bpe:2000');
  const [train, validation] = await parts(facts);
  assert.equal(train + validation, readFileSync(shakespeare, 'utf8'));
  for (const [name, part, count] of [
    ['train.tokens', train, facts.trainTokens],
    ['validation.tokens', validation, facts.validationTokens],
  ] as const) {
    const file = openTokenFile(at(name), 'u16', count);
    const tokens = new Int32Array(count);
    file.read(0, count, tokens);
    file.close();
    assert.deepEqual(tokens, Int32Array.from(await tokenizer.encode(part)));
  }
});

test('the split falls between characters, and at a line start where one is near', async () => {
  const smiles = await importFile(textFile('🙂'.repeat(10)), 'byte', 0.33);
  assert.deepEqual(await parts(smiles), ['🙂'.repeat(7), '🙂'.repeat(3)]);
  const exact = await importFile(textFile('aaaa\nbbbb\n'), 'byte', 0.5);
  assert.deepEqual(await parts(exact), ['aaaa\n', 'bbbb\n'], 'already a line start');
  const near = await importFile(textFile('aaaaaa\nbb\ncccc\n'), 'byte', 0.45);
  assert.deepEqual(await parts(near), ['aaaaaa\nbb\n', 'cccc\n']);
  const noLine = await importFile(textFile(`${'a'.repeat(99)}\n`), 'byte', 0.1);
  assert.equal(noLine.trainTokens, 90, 'the end of the text is not the start of a line');
  const far = await importFile(textFile(`${'a'.repeat(50_000)}\nb`), 'byte', 0.5);
  assert.equal(far.trainTokens, 25_001);
  const one = await importFile(textFile('a'), 'byte', 0.5);
  assert.equal(one.trainTokens + one.validationTokens, 1);
});

const mebibyte = 'x'.repeat(2 ** 20 - 1);
const badTexts: [name: string, content: () => string | Uint8Array, message: RegExp][] = [
  ['empty', () => '', /is empty\. Choose/],
  [
    'not UTF-8',
    () => Buffer.from('caf\xe9 au lait', 'latin1'),
    /is not UTF-8 text: byte 3 \(0xe9\).*convert it to UTF-8/,
  ],
  ['cut in a character', () => Buffer.from('abc🙂').subarray(0, 6), /byte 3 \(0xf0\)/],
  [
    'wrong beyond a block',
    () => Buffer.concat([Buffer.from(`${mebibyte}é`), Buffer.of(0xff)]),
    /byte 1048577 \(0xff\)/,
  ],
  ['surrogates', () => Buffer.of(0x61, 0xed, 0xa0, 0x80), /byte 1 \(0xed\)/],
  ['NUL', () => `ab\n\u0000c`, /is not plain text: byte 3 is NUL/],
  [
    'UTF-16LE',
    () => Buffer.from('\ufeffhello', 'utf16le'),
    /is UTF-16LE text; only UTF-8.*iconv -f UTF-16 -t UTF-8/,
  ],
  ['UTF-16BE', () => Buffer.from('\ufeffhello', 'utf16le').swap16(), /is UTF-16BE text/],
  ['UTF-32', () => Buffer.of(0xff, 0xfe, 0, 0, 0x61, 0, 0, 0), /is UTF-32LE text/],
  ['gzip', () => Buffer.of(0x1f, 0x8b, 8, 0, 0, 0), /looks like a gzip archive: extract/],
  [
    'zip',
    () => Buffer.from('PK\u0003\u0004\u0014\u0000\u0000'),
    /byte 5 is NUL.*looks like a zip archive/,
  ],
];
for (const [name, content, message] of badTexts) {
  test(`a bad text is refused with a sentence: ${name}`, async () => {
    const path = textFile(content());
    await assert.rejects(importFile(path), isError('invalid-data', message));
    requireNothingLeft();
  });
}

test('other refusals: no file, a folder, bad arguments, a taken id', async () => {
  await assert.rejects(
    importFile(join(folder, 'none.txt')),
    isError('not-found', /none\.txt: there is no such file/),
  );
  await assert.rejects(importFile(folder), isError('invalid-data', /is a folder\. Choose/));
  await assert.rejects(sourceHash(folder), isError('invalid-data', /is a folder/));
  const path = textFile('hello\n');
  await assert.rejects(importFile(path, 'bpe:12'), isError('invalid-argument', /from 256/));
  await assert.rejects(importFile(path, 'byte', 0), isError('invalid-argument', /share is 0;/));
  await assert.rejects(importFile(path, 'byte', NaN), isError('invalid-argument', /share is NaN/));
  const options = { path, datasetsFolder, tokenizer: 'byte', validationShare: 0.5 };
  await assert.rejects(
    importText({ ...options, id: '../out' }),
    isError('invalid-argument', /letters, digits/),
  );
  await importText({ ...options, id: 'taken' });
  await assert.rejects(
    importText({ ...options, id: 'taken' }),
    isError('conflict', /already is a dataset/),
  );
  requireNothingLeft();
});

test('a file that grows while it is imported is refused', async () => {
  const path = textFile('hello\n'.repeat(100));
  await assert.rejects(
    importText({
      path,
      datasetsFolder,
      id: 'growing',
      tokenizer: 'byte',
      validationShare: 0.1,
      onProgress: ({ phase }) => {
        if (phase === 'encoding') writeFileSync(path, 'more', { flag: 'a' });
      },
    }),
    isError('invalid-data', /changed while it was being imported/),
  );
  requireNothingLeft();
});

test('a full disk is said so and leaves nothing', { skip: mountRefusal() }, async () => {
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]);
  try {
    const path = textFile(text.repeat(10));
    for (const tokenizer of ['byte', 'bpe:300']) {
      await assert.rejects(
        importText({ path, datasetsFolder: disk, id: 'd', tokenizer, validationShare: 0.1 }),
        isError('disk-full', /the disk is full/),
      );
      assert.deepEqual(readdirSync(disk), []);
    }
    // The training text fits here, the trained vocabulary does not: the trainer meets the end itself.
    const tight = textFile(
      Array.from({ length: 9000 }, (_, i) => `${(i * 7919) % 99991} `).join(''),
    );
    await assert.rejects(
      importText({
        path: tight,
        datasetsFolder: disk,
        id: 'd',
        tokenizer: 'bpe:300',
        validationShare: 0.1,
      }),
      isError('disk-full', /the disk is full/),
    );
    assert.deepEqual(readdirSync(disk), []);
  } finally {
    execFileSync('umount', [disk]);
  }
});

/** @returns false, or why the test must be skipped */
function mountRefusal(): string | false {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'needs root on Linux to mount a small disk';
  const at = mkdtempSync(join(tmpdir(), 'switchyard-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', at], { stdio: 'ignore' });
    execFileSync('umount', [at]);
    return false;
  } catch {
    return 'mounting is not allowed here';
  } finally {
    rmSync(at, { recursive: true, force: true });
  }
}

function requireNothingLeft(): void {
  const left = existsSync(datasetsFolder) ? readdirSync(datasetsFolder) : [];
  assert.deepEqual(
    left.filter((name) => name.startsWith('.')),
    [],
  );
}

function isError(code: string, message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof SwitchyardError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  };
}
