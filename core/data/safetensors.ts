/**
 * Tensors on disk in the safetensors format, bit for bit as the Rust implementation lays them out:
 * 8 bytes of header length, a JSON header padded with spaces to a multiple of 8, then the data
 * without gaps. Reading goes by position and never loads the whole file. It does not convert
 * between types: half-precision tensors are listed, not read.
 *
 * Typed arrays are written as they lie in memory, so this needs a little-endian machine, as every
 * platform that Node is published for is, but for s390x.
 */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { SwitchyardError, type ErrorCode } from '../contract/errors.ts';
import { writeFileAtomically, writeFully } from './atomicFile.ts';
import { withFileErrors } from './fileErrors.ts';
import { readFully } from './readFully.ts';
import { parseHeader, type TensorDtype, type TensorInfo } from './safetensorsHeader.ts';

export type { TensorDtype, TensorInfo };

/** What `read` gives and `writeSafetensors` takes, by dtype. */
export type TensorData =
  | Float64Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>;

/** Dtypes that can be written, in the order in which the Rust implementation sorts them. */
const writable = {
  I64: BigInt64Array,
  F64: Float64Array,
  F32: Float32Array,
  I32: Int32Array,
  U8: Uint8Array,
} as const;
export type WritableDtype = keyof typeof writable;

export interface NamedTensor {
  name: string;
  dtype: WritableDtype;
  /** Row-major; empty for a scalar. Its product must be `data.length`. */
  shape: readonly number[];
  data: TensorData;
}

export interface SafetensorsFile {
  readonly path: string;
  /** The header's `__metadata__`; empty when it has none. */
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of their data. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /**
   * Reads one tensor into a new array of the type that fits its dtype.
   * @throws SwitchyardError the opener's code when there is no such tensor or the file ends early;
   *   `unsupported` for a dtype that cannot be read
   */
  read(name: string): TensorData;
  /** Like `read`, and checks that the tensor is F32. */
  readFloat32(name: string): Float32Array<ArrayBuffer>;
  close(): void;
}

/** The Rust implementation refuses longer headers; so a hostile length cannot exhaust memory. */
const largestHeader = 100_000_000;

/**
 * Opens a file and checks its whole header against the file's size: every tensor lies inside the
 * file, matches its shape and dtype, and none overlap or leave gaps.
 * @param damaged the error code for a file that is not right; checkpoints are the common case
 * @throws SwitchyardError `damaged`, or `not-found`; the sentence names the file and the tensor
 */
export function openSafetensors(
  path: string,
  damaged: ErrorCode = 'checkpoint-damaged',
): SafetensorsFile {
  const descriptor = withFileErrors('read', path, () => openSync(path, 'r'));
  try {
    return openDescriptor(descriptor, path, damaged);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

function openDescriptor(descriptor: number, path: string, damaged: ErrorCode): SafetensorsFile {
  const fail = (what: string): never => {
    throw new SwitchyardError(damaged, `${path} is not a usable safetensors file: ${what}.`);
  };
  const status = fstatSync(descriptor);
  if (!status.isFile()) return fail('it is not a regular file');
  const fileBytes = status.size;
  if (fileBytes < 8)
    return fail(`it has ${fileBytes} bytes, fewer than the 8 of its header length`);

  const prefix = Buffer.alloc(8);
  if (readFully(descriptor, prefix, 0) < 8) return fail('it became shorter while it was opened');
  const declared = prefix.readBigUInt64LE();
  if (declared > BigInt(largestHeader)) {
    return fail(`its header length is ${declared} bytes, more than the ${largestHeader} allowed`);
  }
  const headerBytes = Number(declared);
  if (8 + headerBytes > fileBytes) {
    return fail(`its header needs ${headerBytes} bytes but the file ends after ${fileBytes}`);
  }
  const header = Buffer.alloc(headerBytes);
  if (readFully(descriptor, header, 8) < headerBytes) {
    return fail('it became shorter while it was opened');
  }
  const dataStart = 8 + headerBytes;
  const { metadata, tensors } = parseHeader(header, fileBytes - dataStart, fail);

  let open = true;
  const read = (name: string): TensorData => {
    if (!open) throw new SwitchyardError('internal', `${path} was closed before reading ${name}.`);
    const info = tensors.get(name);
    if (info === undefined) return fail(`it has no tensor "${name}"`);
    if (!isWritable(info.dtype)) {
      throw new SwitchyardError(
        'unsupported',
        `Tensor "${name}" of ${path} has dtype ${info.dtype}; this version reads ${Object.keys(writable).join(', ')}. Convert the file to F32.`,
      );
    }
    const bytes = new Uint8Array(info.end - info.start);
    const got = readFully(descriptor, bytes, dataStart + info.start);
    if (got < bytes.length) {
      return fail(
        `tensor "${name}" has ${bytes.length} bytes but only ${got} are left in the file`,
      );
    }
    return new writable[info.dtype](bytes.buffer);
  };
  return {
    path,
    metadata,
    tensors,
    read,
    readFloat32(name) {
      const data = read(name);
      if (data instanceof Float32Array) return data;
      return fail(`tensor "${name}" has dtype ${tensors.get(name)?.dtype} where F32 is needed`);
    },
    close() {
      if (open) closeSync(descriptor);
      open = false;
    },
  };
}

function isWritable(dtype: TensorDtype): dtype is WritableDtype {
  return Object.hasOwn(writable, dtype);
}

/**
 * Writes a file atomically (see `atomicFile.ts`). Tensors are ordered as the Rust implementation
 * orders them, wider dtypes first and then by name, which keeps every tensor aligned.
 * @returns the bytes of the file
 * @throws SwitchyardError `invalid-argument` for a repeated name or data that does not fit its
 *   shape or dtype, `disk-full`, `not-found` (no such folder)
 */
export function writeSafetensors(
  path: string,
  tensors: Iterable<NamedTensor>,
  metadata: Readonly<Record<string, string>> = {},
): number {
  const order = Object.keys(writable);
  const sorted = [...tensors].sort(
    (a, b) => order.indexOf(a.dtype) - order.indexOf(b.dtype) || (a.name < b.name ? -1 : 1),
  );
  const header = encodeHeader(path, sorted, metadata);
  let total = header.byteLength;
  for (const { data } of sorted) total += data.byteLength;
  writeFileAtomically(path, (descriptor) => {
    writeFully(descriptor, header);
    for (const { data } of sorted) {
      writeFully(descriptor, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
  });
  return total;
}

/** The 8 length bytes and the padded JSON. */
function encodeHeader(
  path: string,
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>>,
): Buffer {
  const entries = new Map<string, unknown>();
  if (Object.keys(metadata).length > 0) entries.set('__metadata__', metadata);
  let offset = 0;
  for (const { name, dtype, shape, data } of tensors) {
    const refuse = (what: string): never => {
      throw new SwitchyardError(
        'invalid-argument',
        `Cannot write ${path}: tensor "${name}" ${what}.`,
      );
    };
    if (name === '__metadata__') refuse('has the name reserved for metadata');
    if (entries.has(name)) refuse('is given twice');
    if (!(data instanceof writable[dtype])) refuse(`is ${dtype} but its data is another type`);
    const elements = shape.reduce((product, size) => product * size, 1);
    if (
      !shape.every((size) => Number.isSafeInteger(size) && size >= 0) ||
      elements !== data.length
    ) {
      refuse(`has shape [${shape.join(', ')}] but ${data.length} elements`);
    }
    entries.set(name, { dtype, shape, data_offsets: [offset, offset + data.byteLength] });
    offset += data.byteLength;
  }
  // Not JSON.stringify of an object: it would move names that look like numbers to the front.
  const members = [...entries].map(
    ([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`,
  );
  const json = Buffer.from(`{${members.join(',')}}`, 'utf8');
  const padded = Math.ceil(json.byteLength / 8) * 8;
  const header = Buffer.alloc(8 + padded, ' ');
  header.writeBigUInt64LE(BigInt(padded));
  json.copy(header, 8);
  return header;
}
