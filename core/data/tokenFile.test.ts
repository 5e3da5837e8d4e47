import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { SwitchyardError } from '../contract/errors.ts';
import { encodeTokens, openTokenFile, tokenDtype, type TokenDtype } from './tokenFile.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchyard-tokens-'));
after(() => rmSync(folder, { recursive: true }));

test('the width follows the vocabulary', () => {
  assert.deepEqual([1, 256, 257, 65_536, 65_537].map(tokenDtype), [
    'u8',
    'u8',
    'u16',
    'u16',
    'u32',
  ]);
});

const cases: [TokenDtype, number[]][] = [
  ['u8', [0, 1, 127, 128, 255]],
  ['u16', [0, 1, 256, 32_768, 65_535]],
  ['u32', [0, 1, 65_536, 999_999, 2 ** 31 - 1]],
];
for (const [dtype, tokens] of cases) {
  test(`${dtype} tokens are written little-endian and read by position`, () => {
    const path = join(folder, dtype);
    writeFileSync(path, encodeTokens(tokens, dtype));
    const file = openTokenFile(path, dtype, tokens.length);
    assert.equal(file.length, 5);
    const into = new Int32Array(7).fill(-1);
    file.read(0, 5, into, 1);
    assert.deepEqual([...into], [-1, ...tokens, -1]);
    file.read(3, 2, into);
    assert.deepEqual([...into.subarray(0, 2)], tokens.slice(3));
    file.read(5, 0, into);
    for (const [start, count, offset] of [
      [4, 2, 0],
      [-1, 1, 0],
      [0, 3, 5],
      [0.5, 1, 0],
      [0, NaN, 0],
    ]) {
      assert.throws(
        () => file.read(start, count, into, offset),
        isError('invalid-argument', /Cannot read/),
      );
    }
    file.close();
  });
}

test('a length other than the recorded one is refused on opening', () => {
  const path = join(folder, 'short');
  writeFileSync(path, Buffer.alloc(9));
  assert.throws(
    () => openTokenFile(path, 'u16', 5),
    isError(
      'invalid-data',
      /has 9 bytes.*5 tokens of 2 bytes, which is 10\. The file is truncated; import/,
    ),
  );
  assert.throws(
    () => openTokenFile(path, 'u16', 4),
    isError('invalid-data', /not the one that was imported/),
  );
  assert.throws(
    () => openTokenFile(join(folder, 'none'), 'u8', 4),
    isError('not-found', /no such file/),
  );
});

test('a file cut while it is open gives an error, not old numbers', () => {
  const path = join(folder, 'cut');
  writeFileSync(path, Buffer.alloc(10, 7));
  const file = openTokenFile(path, 'u8', 10);
  truncateSync(path, 6);
  assert.throws(
    () => file.read(4, 4, new Int32Array(4)),
    isError('invalid-data', /ended before token 8/),
  );
  file.close();
});

test('positions beyond 2^32 bytes are exact', async () => {
  const path = join(folder, 'large');
  const length = 2 ** 31 + 100;
  const handle = await open(path, 'w');
  await handle.truncate(length * 4); // a sparse file: it takes no space
  await handle.write(encodeTokens([11, 22, 33], 'u32'), 0, 12, (length - 3) * 4);
  await handle.close();
  const file = openTokenFile(path, 'u32', length);
  const into = new Int32Array(4);
  file.read(length - 4, 4, into);
  assert.deepEqual([...into], [0, 11, 22, 33]);
  file.close();
  rmSync(path);
});

function isError(code: string, message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof SwitchyardError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  };
}
