/**
 * The regularisers of routers and their gradients, see core/graph/ops/routerLoss.ts. What both need, the
 * statistics over tokens and the slopes that follow from them, is made once for the two.
 */
import { sizeOf } from '../../../graph/graph.ts';
import type { NodeOf } from '../../../graph/ops/index.ts';
import { smallestMean, variationEpsilon } from '../../../graph/ops/routerStatistics.ts';
import { last, rowsOf } from '../../../graph/shapes.ts';
import type { Dispatch, Kernels, Operand, Ranges, Setup } from '../kernel.ts';
import { wgslType } from '../shader.ts';
import { literal, perThread, threadGrid, threads } from './grid.ts';

type RouterNode = NodeOf<'routerLoss'> | NodeOf<'routerLossGrad'>;

/**
 * - softmaxes [N, G, 2]: largest logit, and sum of exp(logit − largest)
 * - partial [chunks, G·E, 4] and totals [G·E, 4]: sums over tokens, as {@link sumTokens} says
 * - slopes [G·E, 2]: of the loss by the mean selection, and by the gates given to an expert
 * - losses [G]
 */
type RouterRange = 'softmaxes' | 'partial' | 'totals' | 'slopes' | 'losses';

interface Router {
  readonly logits: Operand;
  readonly indices: Operand;
  readonly gates: Operand;
  readonly tokens: number;
  readonly groups: number;
  readonly experts: number;
  readonly k: number;
  readonly attributes: RouterNode['attributes'];
}

function routerOf({ inputs, attributes }: RouterNode, setup: Setup): Router {
  const [logits, indices, gates] = inputs.slice(0, 3).map((tensor) => setup.operand(tensor));
  const { groups, k } = attributes;
  const experts = last(inputs[0].shape) / groups;
  return {
    logits,
    indices,
    gates,
    tokens: rowsOf(inputs[0].shape),
    groups,
    experts,
    k,
    attributes,
  };
}

/** Tokens that one thread sums. */
const chunkLength = (tokens: number): number => Math.max(8, Math.ceil(tokens / 1024));
const chunksOf = (tokens: number): number => Math.ceil(tokens / chunkLength(tokens));

/** The statistics of a router, shared by all nodes of the same inputs and weights. */
function statisticsOf(node: RouterNode, router: Router, setup: Setup): Ranges<RouterRange> {
  const [logits, indices, gates] = node.inputs;
  const { tokens, groups, experts } = router;
  const columns = groups * experts;
  const { k, entropy, variation, switch: balance, z } = node.attributes;
  return setup.derived(
    logits,
    `router ${[indices.id, gates.id, groups, k, entropy, variation, balance, z].join(' ')}`,
    {
      softmaxes: ['f32', 2 * tokens * groups],
      partial: ['f32', 4 * chunksOf(tokens) * columns],
      totals: ['f32', 4 * columns],
      slopes: ['f32', 2 * columns],
      losses: ['f32', groups],
    },
    (narrow) => {
      const ranges: Ranges<RouterRange> = {
        ...narrow,
        softmaxes: { ...narrow.softmaxes, vector: 2 },
        partial: { ...narrow.partial, vector: 4 },
        totals: { ...narrow.totals, vector: 4 },
        slopes: { ...narrow.slopes, vector: 2 },
      };
      return [
        softmaxes(router, ranges),
        sumTokens(router, ranges),
        sumChunks(router, ranges),
        findSlopes(router, ranges),
      ];
    },
  );
}

function softmaxes(
  { logits, tokens, groups, experts }: Router,
  ranges: Ranges<RouterRange>,
): Dispatch {
  const count = tokens * groups;
  return {
    kernel: 'router softmaxes',
    reads: { logits },
    writes: { softmaxes: ranges.softmaxes },
    code: perThread(
      count,
      `  var largest = f32(logits[i * ${experts}u]);
  for (var e = 1u; e < ${experts}u; e++) { largest = max(largest, f32(logits[i * ${experts}u + e])); }
  var sum = 0.0;
  for (var e = 0u; e < ${experts}u; e++) { sum += exp(f32(logits[i * ${experts}u + e]) - largest); }
  softmaxes[i] = vec2f(largest, sum);`,
    ),
    workgroups: threadGrid(count),
  };
}

/**
 * Of every chunk of tokens and every expert: the sums of its probabilities, of its choices, of its
 * gates and, with a group's first expert, of the squared log-sum-exps.
 */
function sumTokens(router: Router, ranges: Ranges<RouterRange>): Dispatch {
  const { logits, indices, gates, tokens, groups, experts, k } = router;
  const columns = groups * experts;
  const length = chunkLength(tokens);
  const count = chunksOf(tokens) * columns;
  return {
    kernel: 'router sums',
    reads: { logits, indices, gates, softmaxes: ranges.softmaxes },
    writes: { partial: ranges.partial },
    code: perThread(
      count,
      `  let column = i % ${columns}u;
  let expert = column % ${experts}u;
  let first = i / ${columns}u * ${length}u;
  var sum = vec4f();
  for (var token = first; token < min(first + ${length}u, ${tokens}u); token++) {
    let slot = token * ${groups}u + column / ${experts}u;
    let softmax = softmaxes[slot];
    sum.x += exp(f32(logits[token * ${columns}u + column]) - softmax.x) / softmax.y;
    for (var choice = slot * ${k}u; choice < (slot + 1u) * ${k}u; choice++) {
      if (u32(indices[choice]) == expert) {
        sum.y += 1.0;
        sum.z += f32(gates[choice]);
      }
    }
    if (expert == 0u) {
      let lse = softmax.x + log(softmax.y);
      sum.w += lse * lse;
    }
  }
  partial[i] = sum;`,
    ),
    workgroups: threadGrid(count),
  };
}

/** WGSL: the sum over a workgroup's threads of a vec4f of each, known to all of them. */
const workgroupSum = `
var<workgroup> summed: array<vec4f, ${threads}>;

fn workgroupSum(own: vec4f, thread: u32) -> vec4f {
  workgroupBarrier(); // for a sum before this one
  summed[thread] = own;
  workgroupBarrier();
  for (var step = ${threads / 2}u; step > 0u; step /= 2u) {
    if (thread < step) { summed[thread] += summed[thread + step]; }
    workgroupBarrier();
  }
  return summed[0];
}`;

function sumChunks({ tokens, groups, experts }: Router, ranges: Ranges<RouterRange>): Dispatch {
  const columns = groups * experts;
  return {
    kernel: 'router totals',
    reads: { partial: ranges.partial },
    writes: { totals: ranges.totals },
    code: `${workgroupSum}

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let column = group.x;
  var own = vec4f();
  for (var chunk = thread; chunk < ${chunksOf(tokens)}u; chunk += ${threads}u) {
    own += partial[chunk * ${columns}u + column];
  }
  let total = workgroupSum(own, thread);
  if (thread == 0u) { totals[column] = total; }
}`,
    workgroups: [columns, 1, 1],
  };
}

/** Loss and slopes of every router, one workgroup each; its threads share the experts. */
function findSlopes(router: Router, ranges: Ranges<RouterRange>): Dispatch {
  const { tokens, groups, experts, k, attributes } = router;
  const { entropy, variation, switch: balance, z } = attributes;
  const each = (body: string): string =>
    `for (var e = thread; e < ${experts}u; e += ${threads}u) {
    let total = totals[group.x * ${experts}u + e];
    ${body}
  }`;
  return {
    kernel: 'router slopes',
    reads: { totals: ranges.totals },
    writes: { slopes: ranges.slopes, losses: ranges.losses },
    code: `${workgroupSum}

// By the mean selection m. The 1 of (m log m)' = log m + 1 drops out in the softmax.
fn meanSlope(total: vec4f) -> f32 {
  let logMean = log(max(total.x / ${literal(tokens)}, ${literal(smallestMean)}));
  return ${literal(entropy)} * logMean + ${literal((balance * experts) / (tokens * k))} * total.y;
}

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  var own = vec4f();
  ${each(`own += vec4f(
      total.x / ${literal(tokens)} * meanSlope(total) + total.w * ${literal(z / tokens)},
      total.z, abs(total.z), 0.0);`)}
  let sums = workgroupSum(own, thread);
  // Without gates, or beside no other expert, there is no variation.
  let perGate = select(0.0, 1.0 / sums.z, ${experts > 1} && sums.z > 0.0);
  let mean = sums.y * perGate / ${literal(experts)};

  own = vec4f();
  ${each('own.x += (total.z * perGate - mean) * (total.z * perGate - mean);')}
  let variance = workgroupSum(own, thread).x / ${literal(Math.max(experts - 1, 1))};
  let scale = 1.0 / (mean * mean + ${literal(variationEpsilon)});
  let value = variance * scale;

  // By the shares of the gates, then through the division by their sum.
  let ofShare = 2.0 * scale / ${literal(Math.max(experts - 1, 1))};
  let ofAll = -2.0 * value * mean * scale / ${literal(experts)};
  own = vec4f();
  ${each('own.x += (ofShare * (total.z * perGate - mean) + ofAll) * total.z * perGate;')}
  let along = workgroupSum(own, thread).x;
  ${each(`let slope = ofShare * (total.z * perGate - mean) + ofAll - sign(total.z) * along;
    slopes[group.x * ${experts}u + e] =
      vec2f(meanSlope(total), ${literal(variation / groups)} * slope * perGate);`)}
  if (thread == 0u) { losses[group.x] = sums.x + ${literal(variation)} * value; }
}`,
    workgroups: [groups, 1, 1],
  };
}

export const routerLossKernels = {
  routerLoss: (node, setup) => {
    const router = routerOf(node, setup);
    const { losses } = statisticsOf(node, router, setup);
    const { groups } = router;
    const y = setup.operand(node.outputs[0]);
    return [
      {
        kernel: 'routerLoss',
        reads: { losses },
        writes: { y },
        code: perThread(
          1,
          `  var sum = 0.0;
  for (var group = 0u; group < ${groups}u; group++) { sum += losses[group]; }
  y[0] = ${wgslType(y)}(sum / ${literal(groups)});`,
        ),
        workgroups: [1, 1, 1],
      },
    ];
  },

  // One thread a group of a token.
  routerLossGrad: (node, setup) => {
    const router = routerOf(node, setup);
    const { softmaxes: perSlot, slopes: pairs } = statisticsOf(node, router, setup);
    const { logits, indices, tokens, groups, experts, k } = router;
    const dLoss = setup.operand(node.inputs[3]);
    const [dLogits, dGates] = node.outputs.map((tensor) => setup.operand(tensor));
    const count = sizeOf([tokens, groups]);
    return [
      {
        kernel: 'routerLossGrad',
        reads: {
          logits,
          indices,
          dLoss,
          softmaxes: { ...perSlot, vector: 2 },
          slopes: { ...pairs, vector: 2 },
        },
        writes: { dLogits, dGates },
        code: perThread(
          count,
          `  let column = i % ${groups}u * ${experts}u; // the group's first
  let softmax = softmaxes[i];
  var average = 0.0;
  for (var e = 0u; e < ${experts}u; e++) {
    average += exp(f32(logits[i * ${experts}u + e]) - softmax.x) * slopes[column + e].x;
  }
  let level = ${literal(2 * node.attributes.z)} * (softmax.x + log(softmax.y)) - average / softmax.y;
  let factor = f32(dLoss[0]) * ${literal(1 / groups / tokens)};
  for (var e = 0u; e < ${experts}u; e++) {
    let probability = exp(f32(logits[i * ${experts}u + e]) - softmax.x) / softmax.y;
    dLogits[i * ${experts}u + e] =
      ${wgslType(dLogits)}(factor * probability * (slopes[column + e].x + level));
  }
  for (var choice = i * ${k}u; choice < (i + 1u) * ${k}u; choice++) {
    let expert = min(u32(indices[choice]), ${experts - 1}u);
    dGates[choice] = ${wgslType(dGates)}(f32(dLoss[0]) * slopes[column + expert].y);
  }`,
        ),
        workgroups: threadGrid(count),
      },
    ];
  },
} satisfies Partial<Kernels>;
