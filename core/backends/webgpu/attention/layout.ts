/**
 * How attention kernels see their operands: head-major, rows and widths padded with zeros to whole
 * tiles, the scale already in the queries. One dispatch copies them there; then every load of the
 * kernels that do the work is aligned and in bounds, whatever the number and width of heads.
 *
 * In scratch of the node, all of one type (f16 for matrix units, else f32):
 * - queries [B, H, T', P'], (q + contentBias) · scale;
 * - positionQueries [B, H, T', P'], (q + positionBias) · scale; the same range without biases;
 * - keys [B, Hk, S', P'] and values [B, Hk, S', Pv'];
 * - positions [Hk, N', P'], row `margin` + j holds row j.
 */
import type { Tensor } from '../../../graph/graph.ts';
import {
  attentionSizes,
  type AttentionAttributes,
  type AttentionInputs,
  type AttentionSizes,
} from '../../../graph/ops/attention.ts';
import {
  elementBytes,
  inVectors,
  type Dispatch,
  type ElementType,
  type Operand,
  type Setup,
} from '../kernel.ts';
import { literal, perThread, threadGrid } from '../kernels/grid.ts';
import type { DeviceFacts } from '../loadWebgpu.ts';
import { wgslType } from '../shader.ts';

/** T' and S' are multiples of this: kernels may use tiles of 8, 16, 32 or 64 rows without a check. */
export const rowTile = 64;

/**
 * Rows of zeros before the first relative position, and at least as many after the last. A tile of up
 * to 64 queries × 64 sources that has anything visible only asks for rows −63 … N + 125.
 */
export const margin = 128;

export interface PackedSizes extends AttentionSizes {
  readonly heads: number;
  readonly keyHeads: number;
  /** T', S' and N'. */
  readonly paddedLength: number;
  readonly paddedSource: number;
  readonly paddedPositions: number;
  /** P' and Pv'. */
  readonly paddedWidth: number;
  readonly paddedValueWidth: number;
  /** What is packed is of this type. */
  readonly type: 'f32' | 'f16';
}

export interface PackedInputs {
  readonly sizes: PackedSizes;
  readonly queries: Operand;
  readonly keys: Operand;
  readonly values: Operand;
  /** Both or neither. */
  readonly positionQueries: Operand | undefined;
  readonly positions: Operand | undefined;
  /** Fill all of these. */
  readonly dispatches: readonly Dispatch[];
}

const roundUp = (count: number, multiple: number): number => Math.ceil(count / multiple) * multiple;

/** Type and padding follow from whether matrix units do the products. */
export function packedSizes(
  inputs: AttentionInputs<Pick<Tensor, 'shape'>>,
  attributes: AttentionAttributes,
  { matrixUnit }: Pick<DeviceFacts, 'matrixUnit'>,
): PackedSizes {
  const sizes = attentionSizes(inputs, attributes);
  const widths = matrixUnit === undefined ? 4 : Math.max(matrixUnit.k, matrixUnit.n);
  return {
    ...sizes,
    heads: attributes.heads,
    keyHeads: attributes.keyHeads,
    paddedLength: roundUp(sizes.length, rowTile),
    paddedSource: roundUp(sizes.source, rowTile),
    paddedPositions: roundUp(sizes.positions + 2 * margin, rowTile),
    paddedWidth: roundUp(sizes.width, widths),
    paddedValueWidth: roundUp(sizes.valueWidth, widths),
    type: matrixUnit === undefined ? 'f32' : 'f16',
  };
}

/** A tensor [G, rows, heads·width] that is copied to [G, heads, paddedRows, paddedWidth]. */
export interface PackedPart {
  readonly name: string;
  readonly source: Operand;
  readonly groups: number;
  readonly rows: number;
  readonly heads: number;
  readonly width: number;
  readonly paddedRows: number;
  readonly paddedWidth: number;
  /** Rows of zeros before the first. */
  readonly before?: number;
  /** [heads·width], added to all rows. */
  readonly bias?: { readonly name: string; readonly operand: Operand } | undefined;
  /** WGSL of a factor, after the bias is added. */
  readonly factor?: string;
}

/** Elements of a part once it is packed. */
const packedLength = ({ groups, heads, paddedRows, paddedWidth }: PackedPart): number =>
  groups * heads * paddedRows * paddedWidth;

/**
 * Copies parts into consecutive ranges of one scratch range, in one dispatch.
 * @param scalars operands that factors read, by name
 * @returns the ranges in the order of the parts
 */
export function packParts(
  parts: readonly PackedPart[],
  type: ElementType,
  setup: Setup,
  scalars: Readonly<Record<string, Operand>> = {},
): { ranges: readonly Operand[]; dispatch: Dispatch } {
  const total = parts.reduce((sum, part) => sum + packedLength(part), 0);
  const packed = inVectors(setup.scratch(type, total), 4);
  const ranges: Operand[] = [];
  const reads: Record<string, Operand> = { ...scalars };
  const functions: string[] = [];
  const branches: string[] = [];
  let start = 0;
  for (const [i, part] of parts.entries()) {
    const vector: 1 | 4 = part.width % 4 === 0 ? 4 : 1;
    const length = packedLength(part);
    // Whole tiles of rows keep every range as aligned as bindings must be.
    const offset = packed.offset + start * elementBytes[type];
    ranges.push({ ...packed, offset, length, vector: 1 });
    reads[part.name] = { ...part.source, vector };
    if (part.bias) reads[part.bias.name] = { ...part.bias.operand, vector };
    functions.push(partFunction(`part${i}`, part, vector));
    branches.push(
      `if (i < ${(start + length) / 4}u) { packed[i] = ${wgslType(packed)}(part${i}(i - ${start / 4}u)); return; }`,
    );
    start += length;
  }
  const count = total / 4;
  const code = `${functions.join('\n')}\n${perThread(count, branches.join('\n'))}`;
  const dispatch: Dispatch = {
    kernel: 'attention pack',
    reads,
    writes: { packed },
    code,
    workgroups: threadGrid(count),
  };
  return { ranges, dispatch };
}

/** WGSL: four neighbours of a packed part, the i-th four. */
function partFunction(name: string, part: PackedPart, vector: 1 | 4): string {
  const { rows, heads, width, paddedRows, paddedWidth, before = 0, bias, factor } = part;
  const read = (array: string, at: string): string =>
    vector === 4
      ? `vec4<f32>(${array}[(${at}) / 4u])`
      : // Beyond the row's end any value will do: it is replaced by zero.
        `vec4<f32>(${[0, 1, 2, 3].map((j) => `f32(${array}[${at} + min(${j}u, ${width - 1}u - p)])`).join(', ')})`;
  return `
fn ${name}(i: u32) -> vec4<f32> { // of [G, heads, rows', width']
  let p = 4u * (i % ${paddedWidth / 4}u);
  let paddedRow = i / ${paddedWidth / 4}u;
  let row = paddedRow % ${paddedRows}u - ${before}u; // wraps to a large number before the first
  let h = paddedRow / ${paddedRows}u % ${heads}u;
  let group = paddedRow / ${paddedRows * heads}u;
  if (row >= ${rows}u || p >= ${width}u) { return vec4<f32>(); }
  let at = ((group * ${rows}u + row) * ${heads}u + h) * ${width}u + p;
  var value = ${read(part.name, 'at')};
${bias === undefined ? '' : `  value += ${read(bias.name, `h * ${width}u + p`)};\n`}\
${factor === undefined ? '' : `  value *= ${factor};\n`}\
${
  vector === 4
    ? '  return value;'
    : `  return select(vec4<f32>(), value, p + vec4u(0, 1, 2, 3) < vec4u(${width}));`
}
}`;
}

/** Packs the inputs of attention or of its gradient; see the head of this file. */
export function packInputs(
  inputs: AttentionInputs<Tensor>,
  attributes: AttentionAttributes,
  setup: Setup,
): PackedInputs {
  const sizes = packedSizes(inputs, attributes, setup.facts);
  const scalars = inputs.scale && { scale: setup.operand(inputs.scale) };
  const { type } = sizes;
  const parts = inputParts(inputs, attributes, sizes, setup);
  const { ranges, dispatch } = packParts(parts, type, setup, scalars);
  const [queries, keys, values, positions, ownPositionQueries] = ranges as readonly (
    Operand | undefined
  )[] as [Operand, Operand, Operand, Operand?, Operand?];
  return {
    sizes,
    queries,
    keys,
    values,
    positions,
    positionQueries: positions && (ownPositionQueries ?? queries),
    dispatches: [dispatch],
  };
}

/** Queries, keys, values, positions, positionQueries; the last two where there are any. */
function inputParts(
  { q, k, v, positions, contentBias, positionBias, scale }: AttentionInputs<Tensor>,
  attributes: AttentionAttributes,
  sizes: PackedSizes,
  setup: Setup,
): PackedPart[] {
  const { batch, length, source, heads, keyHeads, width, valueWidth } = sizes;
  const { paddedLength, paddedSource, paddedPositions, paddedWidth, paddedValueWidth } = sizes;
  const factor = scale ? `(${literal(attributes.scale)} * scale[0])` : literal(attributes.scale);
  const queries = (name: string, bias: Tensor | undefined): PackedPart => ({
    name: 'q',
    source: setup.operand(q),
    groups: batch,
    rows: length,
    heads,
    width,
    paddedRows: paddedLength,
    paddedWidth,
    bias: bias && { name, operand: setup.operand(bias) },
    factor,
  });
  const keyed = { groups: batch, rows: source, heads: keyHeads, paddedRows: paddedSource };
  const parts: PackedPart[] = [
    queries('contentBias', contentBias),
    { name: 'k', source: setup.operand(k), ...keyed, width, paddedWidth },
    { name: 'v', source: setup.operand(v), ...keyed, width: valueWidth, paddedWidth: paddedValueWidth }, // prettier-ignore
  ];
  if (positions === undefined) return parts;
  parts.push({
    name: 'positions',
    source: setup.operand(positions),
    groups: 1,
    rows: sizes.positions,
    heads: keyHeads,
    width,
    paddedRows: paddedPositions,
    paddedWidth,
    before: margin,
  });
  if ((contentBias ?? positionBias) !== undefined)
    parts.push(queries('positionBias', positionBias));
  return parts;
}
