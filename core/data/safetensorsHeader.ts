/** The JSON header of a safetensors file, read without trusting any of it. */

/** Bytes an element, for every dtype whose elements are whole bytes. */
const elementBytes = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
} as const;
export type TensorDtype = keyof typeof elementBytes;

export interface TensorInfo {
  readonly dtype: TensorDtype;
  readonly shape: readonly number[];
  /** Bytes from the start of the data, which follows the header. */
  readonly start: number;
  readonly end: number;
}

export interface Header {
  metadata: Record<string, string>;
  /** Ordered by `start`. */
  tensors: Map<string, TensorInfo>;
}

/**
 * Parses and checks a header: known dtypes, whole non-negative sizes, offsets that fit the shapes,
 * follow one another without gaps or overlaps, and end exactly where the file does.
 * @param dataBytes bytes in the file after the header
 * @param fail throws the error for what is wrong; it must not return
 */
export function parseHeader(
  header: Buffer,
  dataBytes: number,
  fail: (what: string) => never,
): Header {
  const parsed = parseObject(header, fail);
  const metadata: Record<string, string> = {};
  const infos: [string, TensorInfo][] = [];
  for (const [name, value] of Object.entries(parsed)) {
    if (name === '__metadata__') readMetadata(value, metadata, fail);
    else infos.push([name, readInfo(name, value, fail)]);
  }
  infos.sort(([, a], [, b]) => a.start - b.start || a.end - b.end);

  let end = 0;
  let previous = '';
  for (const [name, info] of infos) {
    if (info.start < end) {
      fail(`tensors "${previous}" and "${name}" overlap at byte ${info.start} of the data`);
    }
    if (info.start > end) {
      fail(
        `bytes ${end} to ${info.start} of the data, before tensor "${name}", belong to no tensor`,
      );
    }
    if (info.end > dataBytes) {
      fail(
        `it is truncated: tensor "${name}" ends at byte ${info.end} of the data, of which the file has ${dataBytes}`,
      );
    }
    end = info.end;
    previous = name;
  }
  if (end !== dataBytes) fail(`${dataBytes - end} bytes after the last tensor belong to no tensor`);
  return { metadata, tensors: new Map(infos) };
}

function parseObject(header: Buffer, fail: (what: string) => never): object {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(header));
  } catch {
    return fail('its header is not valid JSON');
  }
  return isObject(parsed) ? parsed : fail('its header is not a JSON object');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readMetadata(
  value: unknown,
  into: Record<string, string>,
  fail: (what: string) => never,
): void {
  if (!isObject(value)) return fail('its __metadata__ is not a JSON object');
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') return fail(`metadata "${key}" is not a string`);
    // Not an assignment, which would treat the key "__proto__" specially.
    Object.defineProperty(into, key, { value: text, enumerable: true, writable: true });
  }
}

function readInfo(name: string, value: unknown, fail: (what: string) => never): TensorInfo {
  if (!isObject(value)) return fail(`the entry of tensor "${name}" is not a JSON object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isDtype(dtype)) return fail(`tensor "${name}" has the unknown dtype ${shown(dtype)}`);
  if (!isSizes(shape)) return fail(`tensor "${name}" has the shape ${shown(shape)}`);
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    return fail(`tensor "${name}" has the data offsets ${shown(offsets)}`);
  }
  const [start, end] = offsets;
  const bytes = shape.reduce((product, size) => product * size, elementBytes[dtype]);
  if (bytes !== end - start) {
    return fail(
      `tensor "${name}" of shape [${shape.join(', ')}] and dtype ${dtype} needs ${bytes} bytes but its offsets span ${end - start}`,
    );
  }
  return { dtype, shape, start, end };
}

function isDtype(value: unknown): value is TensorDtype {
  return typeof value === 'string' && Object.hasOwn(elementBytes, value);
}

/** Whole numbers that JavaScript holds exactly; larger ones could not be real sizes. */
function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

/** A value from the header for an error sentence: short, and safe for any nesting. */
function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  if (Array.isArray(value)) {
    const items = value.slice(0, 8).map((item) => (typeof item === 'object' ? '…' : String(item)));
    return `[${items.join(', ')}${value.length > 8 ? ', …' : ''}]`;
  }
  return typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : 'null or an object';
}
