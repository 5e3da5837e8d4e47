/** The numbers of each query that its logits' gradients need; see `rows` of BackwardOperands. */
import type { AttentionAttributes } from '../../../graph/ops/attention.ts';
import type { Dispatch, Setup } from '../kernel.ts';
import { grid, literal } from '../kernels/grid.ts';
import type { BackwardOperands, BackwardTensors } from './backwardOperands.ts';
import { margin } from './layout.ts';

/** Threads that share the work of a row, and rows of a workgroup. */
const [lanes, rowsOfGroup] = [8, 32];

export function backwardRows(
  { inputs, y, saved, dy }: BackwardTensors,
  attributes: AttentionAttributes,
  operands: Pick<BackwardOperands, 'sizes' | 'packed' | 'starts' | 'rows'>,
  setup: Setup,
): Dispatch {
  const { sizes, packed, rows } = operands;
  const { batch, length, source, heads, keyHeads, valueWidth, paddedLength } = sizes;
  const { visible, scale } = inputs;
  const count = batch * heads * paddedLength;
  const hasLse = attributes.save === 'lse';
  const savedRow = keyHeads === 1 ? `(b * ${heads}u + h)` : `(h * ${batch}u + b)`;
  const factor = `${literal(attributes.scale)}${scale ? ' * f32(scale[0])' : ''}`;
  return {
    kernel: 'attentionGrad rows',
    reads: {
      y: setup.operand(y),
      dy: setup.operand(dy),
      saved: setup.operand(saved),
      ...(visible && { visible: setup.operand(visible) }),
      ...(scale && { scale: setup.operand(scale) }),
      ...(!hasLse && { packed }),
    },
    writes: { rows },
    code: `
var<workgroup> parts: array<f32, ${lanes * rowsOfGroup}>;
${hasLse ? '' : `var<workgroup> sources: array<u32, ${lanes * rowsOfGroup}>;`}
fn sumOfRow(first: u32) -> f32 {
  var sum = 0.0;
  for (var i = 0u; i < ${lanes}u; i++) { sum += parts[first + i]; }
  return sum;
}
@compute @workgroup_size(${lanes * rowsOfGroup})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = (group.y * groups.x + group.x) * ${rowsOfGroup}u + thread / ${lanes}u; // of [B, H, T']
  let lane = thread % ${lanes}u;
  let t = row % ${paddedLength}u;
  let h = row / ${paddedLength}u % ${heads}u;
  let b = row / ${paddedLength * heads}u;
  let isQuery = t < ${length}u && b < ${batch}u;
  var rowProduct = 0.0;
  if (isQuery) {
    let start = ((b * ${length}u + t) * ${heads}u + h) * ${valueWidth}u;
    for (var p = lane; p < ${valueWidth}u; p += ${lanes}u) {
      rowProduct += f32(dy[start + p]) * f32(y[start + p]);
    }
  }
  parts[thread] = rowProduct;
  workgroupBarrier();
  let rowDot = sumOfRow(thread - lane);
  let savedRow = ${savedRow} * ${length}u + t;
${hasLse ? '' : lseOfProbabilities(operands)}
  if (lane == 0u && row < ${count}u) {
    var value = vec4<f32>(1e30, 0.0, 0.0, 0.0);
    if (isQuery) {
      value = vec4<f32>(
        ${hasLse ? 'f32(saved[savedRow])' : 'lse'}, rowDot,
        ${visible ? 'f32(visible[2u * b]), f32(visible[2u * b + 1u])' : `0.0, ${literal(source)}`});
    }
    rows[row] = value;
  }
  if (row == 0u && lane == 0u) {
    rows[${count}u] = vec4<f32>(${factor}, ${scale ? '1.0 / f32(scale[0])' : '1.0'}, 0.0, 0.0);
  }
}`,
    workgroups: grid(Math.ceil(count / rowsOfGroup)),
  };
}

/** WGSL: `lse` = logit − log p of the source with the largest probability in the saved ones. */
function lseOfProbabilities({ sizes, starts }: Pick<BackwardOperands, 'sizes' | 'starts'>): string {
  const { source, length, keyHeads, paddedSource, paddedPositions, paddedWidth } = sizes;
  const quads = paddedWidth / 4;
  const keyHead = keyHeads === 1 ? '0u' : 'h';
  const positionTerm = `
      sum += dot(
        vec4<f32>(packed[${starts.positionQueries}u + row * ${quads}u + p]),
        vec4<f32>(packed[${starts.positions}u + (${keyHead} * ${paddedPositions}u + best + ${length - 1 + margin}u - t) * ${quads}u + p]));`;
  return `
  var largest = -1.0;
  var best = 0u;
  if (isQuery) {
    for (var s = lane; s < ${source}u; s += ${lanes}u) {
      let p = f32(saved[savedRow * ${source}u + s]);
      if (p > largest) { largest = p; best = s; }
    }
  }
  workgroupBarrier();
  parts[thread] = largest;
  sources[thread] = best;
  workgroupBarrier();
  for (var i = 0u; i < ${lanes}u; i++) {
    let other = thread - lane + i;
    if (parts[other] > largest || (parts[other] == largest && sources[other] < best)) {
      largest = parts[other];
      best = sources[other];
    }
  }
  var sum = 0.0;
  if (isQuery) {
    for (var p = lane; p < ${quads}u; p += ${lanes}u) {
      sum += dot(
        vec4<f32>(packed[${starts.queries}u + row * ${quads}u + p]),
        vec4<f32>(packed[${starts.keys}u + ((b * ${keyHeads}u + ${keyHead}) * ${paddedSource}u + best) * ${quads}u + p]));\
${starts.positions === undefined ? '' : positionTerm}
    }
  }
  workgroupBarrier();
  parts[thread] = sum;
  workgroupBarrier();
  let lse = sumOfRow(thread - lane) - log(largest);`;
}
