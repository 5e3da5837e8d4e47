/**
 * What the passes of attention's gradient read, beside what the forward kernels pack (layout.ts): dy
 * in the same order, and for every query the numbers that turn a logit into its gradient.
 */
import type { Tensor } from '../../../graph/graph.ts';
import type { AttentionAttributes, AttentionInputs } from '../../../graph/ops/attention.ts';
import { elementBytes, inVectors, type Dispatch, type Operand, type Setup } from '../kernel.ts';
import {
  packInputs,
  packParts,
  type PackedInputs,
  type PackedPart,
  type PackedSizes,
} from './layout.ts';
import { backwardRows } from './backwardRows.ts';

/** Where parts of the packed inputs begin, in vectors of four elements. */
export interface PackedStarts {
  readonly queries: number;
  readonly positionQueries: number;
  readonly keys: number;
  readonly values: number;
  /** Row −margin; see layout.ts. Absent without positions. */
  readonly positions: number | undefined;
}

export interface BackwardOperands {
  readonly sizes: PackedSizes;
  readonly attributes: AttentionAttributes;
  /** All packed inputs as one range, in vectors of four: a kernel can bind only few ranges. */
  readonly packed: Operand;
  readonly starts: PackedStarts;
  /** dy [B, H, T', Pv'], in vectors of four. */
  readonly dy: Operand;
  /**
   * [B, H, T'] vectors (lse, Σ dy·y, first, end): the sources that a query may see go from `first`
   * until before `end`. Padded queries see none. One more vector has the scale of logits, the learned
   * one included, and the learned one's inverse.
   */
  readonly rows: Operand;
  /** Fill all of these. */
  readonly dispatches: readonly Dispatch[];
}

/** WGSL that all tiles share: what a sequence may see. Reads `rows`. */
export function sequenceText({
  sizes: { heads, keyHeads, length, source },
  attributes,
}: Pick<BackwardOperands, 'sizes' | 'attributes'>): string {
  return `var<workgroup> visible: vec2<f32>;

// First source that a sequence may see and one past the last, the same for the whole workgroup.
fn visibleOf(row: u32, thread: u32) -> vec2<u32> {
  if (thread == 0u) { visible = rows[row].zw; }
  return vec2<u32>(workgroupUniformLoad(&visible));
}
fn keyHeadOf(h: u32) -> u32 { return ${keyHeads === heads ? 'h' : '0u'}; }
// One past the last source that query t may see, whatever is visible.
fn causalEnd(t: u32) -> u32 { return ${attributes.causal ? `min(t + ${source - length + 1}u, ${source}u)` : `${source}u`}; }`;
}

/** The inputs of an attentionGrad node that every gradient needs. */
export interface BackwardTensors {
  readonly inputs: AttentionInputs<Tensor>;
  readonly y: Tensor;
  readonly saved: Tensor;
  readonly dy: Tensor;
}

export function backwardOperands(
  tensors: BackwardTensors,
  attributes: AttentionAttributes,
  setup: Setup,
): BackwardOperands {
  const inputs = packInputs(tensors.inputs, attributes, setup);
  const { sizes } = inputs;
  const dy = packParts(
    [
      {
        name: 'dy',
        source: setup.operand(tensors.dy),
        groups: sizes.batch,
        rows: sizes.length,
        heads: sizes.heads,
        width: sizes.valueWidth,
        paddedRows: sizes.paddedLength,
        paddedWidth: sizes.paddedValueWidth,
      },
      zeroRows(setup.operand(tensors.dy), sizes.valueWidth, sizes.paddedValueWidth),
    ],
    sizes.type,
    setup,
  );
  const { packed, starts } = asOne(inputs);
  const rowCount = sizes.batch * sizes.heads * sizes.paddedLength;
  const rows = inVectors(setup.scratch('f32', 4 * (rowCount + 1)), 4);
  return {
    sizes,
    attributes,
    packed,
    starts,
    dy: inVectors({ ...dy.ranges[0], length: dy.ranges[0].length + dy.ranges[1].length }, 4),
    rows,
    dispatches: [
      ...inputs.dispatches,
      dy.dispatch,
      backwardRows(tensors, attributes, { sizes, packed, starts, rows }, setup),
    ],
  };
}

/**
 * Rows after the last, since a matrix is checked against the end of its range as if each of its rows
 * were as long as the range's.
 */
const zeroRows = (source: Operand, width: number, paddedWidth: number): PackedPart => ({
  name: 'dy',
  source,
  groups: 1,
  rows: 0,
  heads: 1,
  width,
  paddedRows: 1,
  paddedWidth,
});

/** The packed ranges lie one after the other; they become one, and where each begins. */
function asOne(inputs: PackedInputs): { packed: Operand; starts: PackedStarts } {
  const { queries, positionQueries, keys, values, positions } = inputs;
  const ranges = [queries, keys, values, positions, positionQueries].filter(
    (range) => range !== undefined,
  );
  const bytes = elementBytes[queries.type];
  const length = Math.max(
    ...ranges.map((range) => (range.offset - queries.offset) / bytes + range.length),
  );
  const start = (range: Operand | undefined): number =>
    range === undefined ? 0 : (range.offset - queries.offset) / bytes / 4;
  return {
    packed: inVectors({ ...queries, length }, 4),
    starts: {
      queries: start(queries),
      positionQueries: start(positionQueries),
      keys: start(keys),
      values: start(values),
      positions: positions && start(positions),
    },
  };
}
