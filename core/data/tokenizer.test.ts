import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SwitchyardError } from '../contract/errors.ts';
import { stream, uniformInteger } from '../graph/random.ts';
import {
  byteTokenizer,
  createBpeTokenizer,
  loadTokenizer,
  parseTokenizerSpec,
  type Tokenizer,
} from './tokenizer.ts';
import { trainBpe } from './trainBpe.ts';
import { wordCut } from './textCuts.ts';
import { splitWords } from './wordCache.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchyard-tokenizer-'));
after(() => rmSync(folder, { recursive: true }));

const shakespeare = fileURLToPath(new URL('../../samples/tinyshakespeare.txt', import.meta.url));

const sample =
  'The cat sat on the mat; the cat’s hat sat on the cat.\r\n\r\n\n  Café naïve 12345 — 日本語。\n\t\n🙂👩‍👩‍👧 e\u0301\n \n\n x\u00a0 \u3000y';
const everyText = [
  sample,
  '',
  ' ',
  '\n',
  '\ufeffmark',
  '\u0000\u0001\u007f\u0085',
  '😀',
  "it's we'll __proto__",
  '𝔘𐍈',
];

async function trained(size: number, text = sample.repeat(20)): Promise<Tokenizer> {
  const file = join(folder, `text-${size}.txt`);
  writeFileSync(file, text);
  return createBpeTokenizer(
    `bpe:${size}`,
    await trainBpe([file], size, join(folder, `scratch-${size}`)),
  );
}

async function checkRoundTrips(tokenizer: Tokenizer): Promise<void> {
  for (const text of everyText) {
    const tokens = await tokenizer.encode(text);
    assert.equal(tokenizer.decode(tokens), text);
    const decoder = tokenizer.stream();
    const pieces = Array.from(tokens, (token) => decoder.push(token));
    assert.equal(pieces.join('') + decoder.end(), text);
    for (const piece of pieces)
      assert.ok(!piece.includes('\ufffd'), 'half a character was emitted');
  }
}

test('the byte tokenizer round-trips, and its tokens are the bytes', async () => {
  await checkRoundTrips(byteTokenizer);
  assert.deepEqual([...(await byteTokenizer.encode('é'))], [0xc3, 0xa9]);
  assert.equal(byteTokenizer.vocabulary, 256);
});

test('bpe round-trips any text, also characters it never saw', async () => {
  const tokenizer = await trained(300);
  assert.equal(tokenizer.vocabulary, 300);
  await checkRoundTrips(tokenizer);
  assert.ok((await tokenizer.encode('the cat')).length < 7, 'merges are used');
});

test('a text without enough pairs gives a smaller vocabulary', async () => {
  const tokenizer = await trained(5000, 'ab ab ab\n');
  assert.equal(tokenizer.spec, 'bpe:5000');
  assert.ok(tokenizer.vocabulary > 256 && tokenizer.vocabulary < 265, String(tokenizer.vocabulary));
  await checkRoundTrips(tokenizer);
});

test('streaming holds back an unfinished character and says when it never came', () => {
  const decoder = byteTokenizer.stream();
  assert.deepEqual(
    [0xf0, 0x9f, 0x99, 0x82, 0xc3].map((token) => decoder.push(token)),
    ['', '', '', '🙂', ''],
  );
  assert.equal(decoder.end(), '\ufffd');
});

test('both kinds survive their tokenizer.json', async () => {
  const bpe = await trained(320);
  for (const tokenizer of [byteTokenizer, bpe]) {
    const loaded = await loadTokenizer(tokenizer.toJson(), tokenizer.spec);
    assert.equal(loaded.spec, tokenizer.spec);
    assert.equal(loaded.vocabulary, tokenizer.vocabulary);
    assert.equal(loaded.toJson(), tokenizer.toJson());
    assert.deepEqual(await loaded.encode(sample), await tokenizer.encode(sample));
  }
  assert.equal((await loadTokenizer(bpe.toJson())).spec, 'bpe:320');
});

test('another library reads the byte tokenizer file as bytes', async () => {
  const { Tokenizer: Native } = await import('tokenizers');
  const native = Native.fromString(byteTokenizer.toJson());
  for (const text of everyText) {
    const ids = (await native.encode(text)).getIds();
    assert.deepEqual(ids, [...(await byteTokenizer.encode(text))]);
    // With add_prefix_space off, its decoder gives the text back.
    if (ids.length > 0) assert.equal(await native.decode(ids, false), text);
  }
});

test('files that are not our tokenizers are refused with the reason', async () => {
  const json = JSON.parse(byteTokenizer.toJson()) as { model: Record<string, unknown> };
  const changed = (change: object): string => JSON.stringify({ ...json, ...change });
  const cases: [string, string, RegExp][] = [
    ['{', 'invalid-data', /not valid JSON/],
    ['[]', 'invalid-data', /not a JSON object/],
    ['{}', 'invalid-data', /no "model"/],
    [changed({ model: { ...json.model, type: 'Unigram' } }), 'unsupported', /type Unigram/],
    [changed({ normalizer: { type: 'NFC' } }), 'unsupported', /a normalizer/],
    [changed({ added_tokens: [{ id: 256, content: '<s>' }] }), 'unsupported', /added tokens/],
    [changed({ pre_tokenizer: null }), 'unsupported', /pre-tokenizer/],
    [changed({ model: { ...json.model, vocab: { a: 0, b: 0 } } }), 'invalid-data', /two entries/],
    [changed({ model: { ...json.model, vocab: { a: 7 } } }), 'invalid-data', /number 7 of 1/],
    [changed({ model: { ...json.model, vocab: { a: 0 } } }), 'invalid-data', /no entry for byte 0/],
    [
      changed({ model: { ...json.model, merges: [['a', 'b']] } }),
      'invalid-data',
      /merge of "a" and "b"/,
    ],
    [changed({ model: { ...json.model, merges: ['a'] } }), 'invalid-data', /not a pair/],
  ];
  for (const [text, code, message] of cases) {
    await assert.rejects(loadTokenizer(text), (error) => isError(error, code, message));
  }
  await assert.rejects(loadTokenizer(byteTokenizer.toJson(), 'bpe:300'), (error) =>
    isError(error, 'invalid-data', /recorded with "bpe:300"/),
  );
});

test('tokenizer names are checked', () => {
  assert.equal(parseTokenizerSpec('byte'), null);
  assert.equal(parseTokenizerSpec('bpe:8000'), 8000);
  for (const spec of ['bpe', 'bpe:', 'bpe:255', 'bpe:30001', 'bpe:1e3', 'BYTE', '']) {
    assert.throws(
      () => parseTokenizerSpec(spec),
      (error) => isError(error, 'invalid-argument', /tokenizer/),
    );
  }
  assert.throws(
    () => byteTokenizer.bytes(256),
    (error) => isError(error, 'invalid-argument', /no token 256/),
  );
});

/** Pieces as the importer makes them, from reads of `size` bytes. */
function pieces(text: string, size: number): string[] {
  const bytes = Buffer.from(text);
  const found: string[] = [];
  let rest = Buffer.alloc(0);
  for (let at = 0; at < bytes.length; at += size) {
    const all = Buffer.concat([rest, bytes.subarray(at, at + size)]);
    const taken = at + size < bytes.length ? wordCut(all) : all.length;
    found.push(all.toString('utf8', 0, taken));
    rest = all.subarray(taken);
  }
  return found;
}

/** The oracle: the library encoding the whole text in one call. */
async function atOnce(tokenizer: Tokenizer, text: string): Promise<number[]> {
  const { Tokenizer: Native } = await import('tokenizers');
  return (await Native.fromString(tokenizer.toJson()).encode(text)).getIds();
}

async function inPieces(tokenizer: Tokenizer, text: string, size: number): Promise<number[]> {
  const parts = await tokenizer.encodeBatch(pieces(text, size));
  return parts.flatMap((part) => [...part]);
}

test('encoding block by block equals encoding at once, whatever the block size', async () => {
  const tokenizer = await trained(400);
  const text = sample.repeat(2);
  const whole = await atOnce(tokenizer, text);
  for (let size = 1; size < 120; size++) {
    assert.deepEqual(await inPieces(tokenizer, text, size), whole, `blocks of ${size} bytes`);
  }
});

test('the same on mixtures of every kind of space with letters, digits and signs', async () => {
  const kinds = [
    ...' \n\r\t\v\f\u001c\u0085\u00a0\u1680\u180e\u2003\u200b\u2028\u3000\ufeff'.split(''),
    ...[
      ' ',
      ' ',
      '\n',
      '\n',
      "'s",
      "'ll",
      'the',
      'a',
      'é',
      'e\u0301',
      '日',
      '٣',
      '7',
      '½',
      '.',
      '—',
      '🙂',
    ],
  ];
  const text = Array.from(
    { length: 20_000 },
    (_, i) => kinds[uniformInteger(stream.batches, 0, i, 1, kinds.length)],
  ).join('');
  const tokenizer = await trained(700, text);
  const whole = await atOnce(tokenizer, text);
  assert.ok(splitWords(text).length > 500);
  assert.deepEqual([...(await tokenizer.encode(text))], whole);
  assert.deepEqual(await inPieces(tokenizer, text, 333), whole);
});

test('the same on real text; and training is deterministic', async () => {
  const text = readFileSync(shakespeare, 'utf8');
  const model = await trainBpe([shakespeare], 8000, join(folder, 'a'));
  assert.equal(model.entries.length, 8000);
  const halves = pieces(text, 600_000).map((piece, i) => {
    const path = join(folder, `half-${i}`);
    writeFileSync(path, piece);
    return path;
  });
  assert.equal(halves.length, 2);
  assert.deepEqual(await trainBpe(halves, 8000, join(folder, 'b')), model);
  const tokenizer = await createBpeTokenizer('bpe:8000', model);
  const whole = await atOnce(tokenizer, text);
  for (const size of [997, 65_536, 2 ** 22]) {
    assert.deepEqual(await inPieces(tokenizer, text, size), whole);
  }
  assert.equal(tokenizer.decode(whole), text);
});

function isError(error: unknown, code: string, message: RegExp): boolean {
  assert.ok(error instanceof SwitchyardError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, message);
  return true;
}
