import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
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
import { SwitchyardError } from '../contract/errors.ts';
import { writeJsonAtomically } from './atomicFile.ts';
import { openSafetensors, writeSafetensors, type NamedTensor } from './safetensors.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchyard-safetensors-'));
after(() => rmSync(folder, { recursive: true }));

const tensors: NamedTensor[] = [
  { name: 'mask', dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 255) },
  { name: 'b.weight', dtype: 'F32', shape: [2, 2], data: Float32Array.of(1, -2.5, NaN, -0) },
  { name: 'a.weight', dtype: 'F32', shape: [], data: Float32Array.of(Math.fround(0.1)) },
  { name: 'steps', dtype: 'I32', shape: [1], data: Int32Array.of(-7) },
  { name: 'exact', dtype: 'F64', shape: [1], data: Float64Array.of(Math.PI) },
  { name: '7', dtype: 'I64', shape: [2], data: BigInt64Array.of(-1n, 2n ** 62n) },
  { name: 'empty', dtype: 'F32', shape: [0, 5], data: new Float32Array(0) },
];

test('what is written is read back, in the order and alignment of the Rust implementation', () => {
  const path = join(folder, 'round-trip.safetensors');
  const bytes = writeSafetensors(path, tensors, { format: 'pt', note: 'é 🙂', other: 'x' });
  const raw = readFileSync(path);
  assert.equal(raw.length, bytes);
  assert.equal(Number(raw.readBigUInt64LE()) % 8, 0);

  const file = openSafetensors(path);
  const rustOrder = ['7', 'exact', 'a.weight', 'b.weight', 'empty', 'steps', 'mask'];
  assert.deepEqual([...file.tensors.keys()], rustOrder);
  assert.deepEqual({ ...file.metadata }, { format: 'pt', note: 'é 🙂', other: 'x' });
  for (const { name, shape, dtype, data } of tensors) {
    assert.deepEqual(file.read(name), data, name);
    assert.deepEqual(file.tensors.get(name)?.shape, shape);
    assert.equal(file.tensors.get(name)?.dtype, dtype);
  }
  assert.throws(() => file.read('absent'), damaged(/has no tensor "absent"/));
  assert.throws(() => file.readFloat32('steps'), damaged(/has dtype I32 where F32 is needed/));
  file.close();
  file.close();
  assert.deepEqual(readdirSync(folder), ['round-trip.safetensors'], 'no temporary file is left');
});

test('a typed array that is a view of a larger buffer is written alone', () => {
  const path = join(folder, 'view.safetensors');
  const data = Float32Array.of(1, 2, 3, 4).subarray(1, 3);
  writeSafetensors(path, [{ name: 'view', dtype: 'F32', shape: [2], data }]);
  const file = openSafetensors(path);
  assert.deepEqual(file.read('view'), Float32Array.of(2, 3));
  file.close();
});

test('impossible tensors are refused and leave the old file', () => {
  const path = join(folder, 'kept.safetensors');
  writeSafetensors(path, tensors);
  const before = readFileSync(path);
  const data = new Float32Array(4);
  const refuse = (list: NamedTensor[], message: RegExp): void =>
    assert.throws(
      () => writeSafetensors(path, list),
      (error) => isError(error, 'invalid-argument', message),
    );
  refuse([{ name: 'w', dtype: 'F32', shape: [5], data }], /shape \[5\] but 4 elements/);
  refuse([{ name: 'w', dtype: 'F32', shape: [-2, -2], data }], /shape/);
  refuse([{ name: 'w', dtype: 'I32', shape: [4], data }], /is I32 but its data is another type/);
  refuse(
    [1, 2].map(() => ({ name: 'w', dtype: 'F32', shape: [4], data })),
    /"w" is given twice/,
  );
  refuse([{ name: '__metadata__', dtype: 'F32', shape: [4], data }], /reserved/);
  assert.deepEqual(readFileSync(path), before);
});

const golden = new URL('../../../shared/golden/golden.safetensors', import.meta.url).pathname;
const goldenMissing = existsSync(golden)
  ? false
  : 'needs shared/golden/golden.safetensors beside the repository';

test('the golden file of another implementation is read', { skip: goldenMissing }, () => {
  const file = openSafetensors(golden);
  assert.ok(file.tensors.size > 100);
  for (const [name, { shape }] of file.tensors) {
    assert.equal(
      file.read(name).length,
      shape.reduce((product, size) => product * size, 1),
      name,
    );
  }
  file.close();
});

test('truncation anywhere is an error with a sentence, never a crash', () => {
  const path = join(folder, 'truncated.safetensors');
  writeSafetensors(path, tensors, { format: 'pt' });
  const whole = readFileSync(path);
  for (let length = 0; length < whole.length; length++) {
    writeFileSync(path, whole.subarray(0, length));
    assert.throws(() => openSafetensors(path), damaged(/is not a usable safetensors file: .*\.$/));
  }
  writeFileSync(path, whole.subarray(0, whole.length - 1));
  assert.throws(
    () => openSafetensors(path),
    damaged(/it is truncated: tensor "mask" ends at byte/),
  );
  writeFileSync(path, Buffer.concat([whole, Buffer.from('x')]));
  assert.throws(() => openSafetensors(path), damaged(/1 bytes after the last tensor/));
});

const entry = (over: object): object => ({
  dtype: 'F32',
  shape: [1],
  data_offsets: [0, 4],
  ...over,
});
const deep = `{"w":{"dtype":"F32","shape":${'['.repeat(50_000)}${']'.repeat(50_000)},"data_offsets":[0,4]}}`;

const hostile: [name: string, header: unknown, dataBytes: number, message: RegExp][] = [
  ['not JSON', '{"w":', 0, /not valid JSON/],
  ['not UTF-8', Buffer.of(0x7b, 0xff, 0x7d), 0, /not valid JSON/],
  ['a list', [], 0, /not a JSON object/],
  ['null', null, 0, /not a JSON object/],
  ['an entry that is text', { w: 'x' }, 0, /entry of tensor "w" is not/],
  ['no dtype', { w: { shape: [], data_offsets: [0, 4] } }, 4, /unknown dtype missing/],
  ['an unknown dtype', { w: entry({ dtype: 'toString' }) }, 4, /unknown dtype "toString"/],
  ['a negative size', { w: entry({ shape: [-1] }) }, 4, /has the shape \[-1\]/],
  ['a fractional size', { w: entry({ shape: [0.5, 2] }) }, 4, /has the shape \[0.5, 2\]/],
  ['a huge size', { w: entry({ shape: [1e300] }) }, 4, /has the shape \[1e\+300\]/],
  ['sizes that overflow', { w: entry({ shape: [2 ** 52, 2 ** 52] }) }, 4, /needs 8.*e\+31 bytes/],
  ['deep nesting', deep, 4, /has the shape \[…\]/],
  ['negative offsets', { w: entry({ data_offsets: [-4, 0] }) }, 4, /data offsets \[-4, 0\]/],
  ['offsets backwards', { w: entry({ data_offsets: [4, 0] }) }, 4, /data offsets \[4, 0\]/],
  ['one offset', { w: entry({ data_offsets: [4] }) }, 4, /data offsets \[4\]/],
  [
    'offsets past the end',
    { w: entry({ shape: [2 ** 40], data_offsets: [0, 2 ** 42] }) },
    4,
    /truncated/,
  ],
  ['another shape', { w: entry({ shape: [2] }) }, 4, /needs 8 bytes but its offsets span 4/],
  [
    'overlap',
    { a: entry({ shape: [2], data_offsets: [0, 8] }), w: entry({ data_offsets: [4, 8] }) },
    8,
    /"a" and "w" overlap at byte 4/,
  ],
  [
    'a gap',
    { w: entry({ data_offsets: [4, 8] }) },
    8,
    /bytes 0 to 4 of the data, before tensor "w"/,
  ],
  ['metadata of numbers', { __metadata__: { step: 1 } }, 0, /metadata "step" is not a string/],
];
for (const [name, header, dataBytes, message] of hostile) {
  test(`a hostile header is refused: ${name}`, () => {
    const text =
      typeof header === 'string' || Buffer.isBuffer(header) ? header : JSON.stringify(header);
    const path = writeRaw(Buffer.from(text), dataBytes);
    assert.throws(() => openSafetensors(path), damaged(message));
    assert.throws(
      () => openSafetensors(path, 'invalid-data'),
      (error) => isError(error, 'invalid-data', message),
    );
  });
}

test('a huge header length is refused without allocating it', () => {
  const path = join(folder, 'huge.safetensors');
  writeFileSync(path, Buffer.alloc(64, 0xff));
  assert.throws(
    () => openSafetensors(path),
    damaged(/header length is 18446744073709551615 bytes/),
  );
  const prefix = Buffer.alloc(64);
  prefix.writeBigUInt64LE(99_999_999n);
  writeFileSync(path, prefix);
  assert.throws(
    () => openSafetensors(path),
    damaged(/needs 99999999 bytes but the file ends after 64/),
  );
});

test('names and metadata keys that JavaScript treats specially are only names', () => {
  const path = writeRaw(
    Buffer.from(
      '{"__metadata__":{"__proto__":"m"},"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
    ),
    1,
  );
  const file = openSafetensors(path);
  assert.deepEqual(file.read('__proto__'), Uint8Array.of(0));
  assert.equal(Object.getOwnPropertyDescriptor(file.metadata, '__proto__')?.value, 'm');
  file.close();
});

test('half precision is listed but not read', () => {
  const path = writeRaw(
    Buffer.from(JSON.stringify({ h: { dtype: 'BF16', shape: [2], data_offsets: [0, 4] } })),
    4,
  );
  const file = openSafetensors(path);
  assert.equal(file.tensors.get('h')?.dtype, 'BF16');
  assert.throws(
    () => file.read('h'),
    (error) => isError(error, 'unsupported', /dtype BF16.*Convert/),
  );
  file.close();
});

test('a missing file, a folder and a missing folder have their own sentences', () => {
  assert.throws(
    () => openSafetensors(join(folder, 'none')),
    (error) => isError(error, 'not-found', /no such file/),
  );
  assert.throws(() => openSafetensors(folder), damaged(/not a regular file/));
  assert.throws(
    () => writeSafetensors(join(folder, 'none', 'x'), []),
    (error) => isError(error, 'not-found', /Cannot write/),
  );
});

const mountRefusal = canMount();

test('a full disk is said so, the old file stays, nothing is left', { skip: mountRefusal }, () => {
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]);
  try {
    const path = join(disk, 'c.safetensors');
    writeJsonAtomically(path, { old: true });
    const data = new Float32Array(100_000);
    assert.throws(
      () => writeSafetensors(path, [{ name: 'w', dtype: 'F32', shape: [100_000], data }]),
      (error) => isError(error, 'disk-full', /the disk is full/),
    );
    assert.deepEqual(readdirSync(disk), ['c.safetensors']);
    assert.equal(readFileSync(path, 'utf8'), '{\n  "old": true\n}\n');
  } finally {
    execFileSync('umount', [disk]);
  }
});

/** @returns false, or why the test must be skipped */
function canMount(): string | false {
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

function writeRaw(header: Buffer, dataBytes: number): string {
  const path = join(folder, 'raw.safetensors');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(path, Buffer.concat([length, header, Buffer.alloc(dataBytes)]));
  return path;
}

function isError(error: unknown, code: string, message: RegExp): boolean {
  assert.ok(error instanceof SwitchyardError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, message);
  return true;
}

function damaged(message: RegExp): (error: unknown) => boolean {
  return (error) => isError(error, 'checkpoint-damaged', message);
}
