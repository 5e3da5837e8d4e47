/** Gradient norm and AdamW over all parameters: as many tensors a dispatch as can be bound. */
import { adamwParts, type AdamwAttributes } from '../../../graph/ops/adamw.ts';
import {
  rangeAlignment,
  sameRange,
  type Dispatch,
  type Kernels,
  type Operand,
  type Ranges,
  type Setup,
} from '../kernel.ts';
import { operands } from './elementwise.ts';
import { grid, literal, threads } from './grid.ts';
import { reduction, total } from './reduction.ts';
import { elementsPerWorkgroup, paddedRead, vectorsPerThread } from './sums.ts';

/**
 * Items in batches of one dispatch each, large tensors first: equal ones come together, and batches of
 * equal lengths have one shader.
 */
function batches<T extends { readonly length: number; readonly bindings: number }>(
  items: readonly T[],
  bindings: number,
): T[][] {
  const result: T[][] = [];
  let free = 0;
  for (const item of items.toSorted((a, b) => b.length - a.length)) {
    if (item.bindings > free) {
      result.push([]);
      free = bindings;
    }
    result[result.length - 1].push(item);
    free -= item.bindings;
  }
  return result;
}

/** WGSL: `if` over ranges of workgroups, one range a tensor; `group` counts within the range. */
function byGroup(groups: readonly number[], body: (item: number) => string): string {
  let first = 0;
  return groups
    .map((count, item) => {
      const head = item === 0 ? '' : 'else ';
      const range = `if (all >= ${first}u && all < ${first + count}u)`;
      const group = `let group = all - ${first}u;`;
      first += count;
      return `  ${head}${range} {\n    ${group}\n${body(item)}\n  }`;
    })
    .join(' ');
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/**
 * Infinity and NaN are told by their bits, as a compiler may take it that there are none: without the
 * sign, all and only they are at least these.
 */
const infinity = '0x7f800000u';
const magnitude = '0x7fffffffu';

/** Ranges of one buffer begin at multiples of this many 4-byte words. */
const alignedWords = rangeAlignment / 4;

/** Bindings of a dispatch that sums squares, besides the gradients: loss scale and partial sums. */
const normBindings = 2;

/**
 * Squares of (g / lossScale), summed by workgroups of a fixed number of elements into partial sums; a
 * last dispatch sums those. What is not finite goes on as it is.
 */
function globalNorm(
  [lossScale, ...gradients]: readonly Operand[],
  norm: Operand,
  setup: Setup,
): Dispatch[] {
  const items = gradients.map((gradient) => ({ gradient, length: gradient.length, bindings: 1 }));
  const planned = batches(items, setup.facts.bindings - normBindings).map((batch) => {
    const groups = batch.map(({ length }) => Math.ceil(length / elementsPerWorkgroup));
    // The partial sums of every dispatch are a range of their own, so there are some zeros.
    const length = Math.ceil(sum(groups) / alignedWords) * alignedWords;
    return { gradients: batch.map(({ gradient }) => gradient), groups, length };
  });
  const partials = setup.scratch('u32', sum(planned.map(({ length }) => length)));
  let first = 0;
  const dispatches = planned.map(({ gradients, groups, length }) => {
    const range: Operand = { ...partials, offset: partials.offset + 4 * first, length };
    first += length;
    return sumOfSquares(lossScale, gradients, groups, range);
  });
  return [...dispatches, rootOfSum(partials, norm)];
}

function sumOfSquares(
  lossScale: Operand,
  gradients: readonly Operand[],
  groups: readonly number[],
  partials: Operand,
): Dispatch {
  const named = gradients.map((gradient, i): [string, Operand] => [
    `g${i}`,
    { ...gradient, vector: 4 },
  ]);
  const reads = gradients.map(({ length }, i) => paddedRead(`read${i}`, `g${i}`, length));
  return {
    kernel: 'globalNorm squares',
    reads: { lossScale, ...Object.fromEntries(named) },
    writes: { partials },
    code: `
${total(4)}
${reads.join('\n')}
${reduction('sumOverAll', 'f32', threads, 'a + b')}
${reduction('mostOfAll', 'u32', threads, 'max(a, b)')}
@compute @workgroup_size(${threads})
fn main(
  @builtin(workgroup_id) _group: vec3u,
  @builtin(num_workgroups) _groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let all = _group.y * _groups.x + _group.x;
  let factor = 1.0 / lossScale[0];
  var sums: vec4<f32>;
  var most: vec4u; // the largest magnitude, by bits
${byGroup(
  groups,
  (item) => `
    for (var k = 0u; k < ${vectorsPerThread}u; k++) {
      let i = (group * ${vectorsPerThread}u + k) * ${threads}u + thread;
      if (i < ${Math.ceil(gradients[item].length / 4)}u) {
        let raw = read${item}(i);
        let g = raw * factor;
        sums += g * g;
        most = max(most, bitcast<vec4u>(raw) & vec4u(${magnitude}));
      }
    }`,
)}
  let squares = sumOverAll(total(sums), thread);
  let top = mostOfAll(max(max(most.x, most.y), max(most.z, most.w)), thread);
  if (thread == 0u && all < ${partials.length}u) {
    partials[all] = select(bitcast<u32>(squares), top, top >= ${infinity});
  }
}`,
    workgroups: grid(partials.length),
  };
}

/** Partial sums, by their bits, → norm []. */
function rootOfSum(partials: Operand, norm: Operand): Dispatch {
  return {
    kernel: 'globalNorm root',
    reads: { partials: { ...partials, vector: 4 } },
    writes: { norm: { ...norm, type: 'u32' } },
    code: `
${total(4)}
${reduction('sumOverAll', 'f32', threads, 'a + b')}
${reduction('mostOfAll', 'u32', threads, 'max(a, b)')}
@compute @workgroup_size(${threads})
fn main(@builtin(local_invocation_index) thread: u32) {
  var sums: vec4<f32>;
  var most: vec4u;
  for (var i = thread; i < ${partials.length / 4}u; i += ${threads}u) {
    sums += bitcast<vec4<f32>>(partials[i]);
    most = max(most, partials[i]);
  }
  let squares = sumOverAll(total(sums), thread);
  let top = mostOfAll(max(max(most.x, most.y), max(most.z, most.w)), thread);
  if (thread == 0u) { norm[0] = select(bitcast<u32>(sqrt(squares)), top, top >= ${infinity}); }
}`,
    workgroups: [1, 1, 1],
  };
}

/** One parameter: what is read and where it is written, often the same ranges. */
interface Update {
  readonly length: number;
  readonly bindings: number;
  readonly gradient: Operand;
  /** [p, m, v] */
  readonly old: readonly Operand[];
  readonly next: readonly Operand[];
}

function updateOf(gradient: Operand, old: readonly Operand[], next: readonly Operand[]): Update {
  const copied = next.filter((operand, i) => !sameRange(operand, old[i])).length;
  return { length: gradient.length, bindings: 4 + copied, gradient, old, next };
}

/** A small dispatch for what all elements share, then the updates. */
function adamw(
  scalars: readonly Operand[],
  updates: readonly Update[],
  attributes: AdamwAttributes,
  setup: Setup,
): Dispatch[] {
  const shared = setup.scratch('f32', sharedNames.length);
  return [
    sharedScalars(scalars, shared, attributes),
    ...batches(updates, setup.facts.bindings - 1).map((batch) =>
      applyUpdates(shared, batch, attributes),
    ),
  ];
}

/** What adamw's first dispatch computes, in the order in which it lies in scratch. */
const sharedNames = [
  'gradientFactor',
  'decayFactor',
  'stepSize',
  'varianceFactor', // 1 / (1 − β₂^t)
  'skip', // 1 where the norm is not finite
];
/** WGSL: the places of these. */
const sharedPlaces = sharedNames.map((name, i) => `const ${name} = ${i}u;`).join('\n');

/**
 * WGSL: `fn name(t) -> f32`, 1 − β^t. β^t itself would lose what makes the difference from 1, so the
 * complements of β^1, β^2, β^4, … are combined instead: 1 − ab = (1 − a) + a·(1 − b).
 */
function complementOfPower(name: string, beta: number): string {
  const complements = Array.from({ length: 31 }, (_, bit) => literal(1 - beta ** (2 ** bit)));
  return `
fn ${name}(t: u32) -> f32 {
  var complements = array<f32, 31>(${complements.join(', ')});
  var complement = 0.0;
  for (var bit = 0u; bit < 31u; bit++) {
    if (((t >> bit) & 1u) == 1u) { complement += (1.0 - complement) * complements[bit]; }
  }
  return complement;
}`;
}

function sharedScalars(
  [learningRate, step, lossScale, norm]: readonly Operand[],
  shared: Operand,
  { beta1, beta2, weightDecay, clip }: AdamwAttributes,
): Dispatch {
  return {
    kernel: 'adamw scalars',
    reads: { learningRate, step, lossScale, norm: { ...norm, type: 'u32' } },
    writes: { scalars: shared },
    code: `
${sharedPlaces}
${complementOfPower('correction1', beta1)}
${complementOfPower('correction2', beta2)}
@compute @workgroup_size(1)
fn main() {
  let t = u32(max(step[0], 0));
  let rate = learningRate[0];
  let factor = min(1.0, ${literal(clip)} / (bitcast<f32>(norm[0]) + 1e-6));
  scalars[gradientFactor] = factor / lossScale[0];
  scalars[decayFactor] = 1.0 - rate * ${literal(weightDecay)};
  scalars[stepSize] = rate / correction1(t);
  scalars[varianceFactor] = 1.0 / correction2(t);
  scalars[skip] = select(0.0, 1.0, (norm[0] & ${magnitude}) >= ${infinity});
}`,
    workgroups: [1, 1, 1],
  };
}

/** What is updated, by its names in the code. */
const parts = ['p', 'm', 'v'] as const;

/**
 * Bindings and code of one parameter. All is read as vectors, past the length too: a range is a whole
 * number of them, and what lies behind the length is nobody's.
 */
function updateCode({ length, gradient, old, next }: Update, index: number) {
  const wide = (operand: Operand): Operand => ({ ...operand, vector: 4 });
  const reads: Record<string, Operand> = { [`g${index}`]: wide(gradient) };
  const writes: Record<string, Operand> = {};
  const values: string[] = [];
  const copies: string[] = [];
  const stores: string[] = [];
  for (const [i, part] of parts.entries()) {
    const name = `${part}${index}`;
    const isInPlace = sameRange(old[i], next[i]);
    const source = isInPlace ? name : `${name}Old`;
    writes[name] = wide(next[i]);
    if (!isInPlace) {
      reads[source] = wide(old[i]);
      copies.push(`${name}[i] = ${source}[i];`);
    }
    values.push(`${source}[i]`);
    stores.push(`${name}[i] = next.${part};`);
  }
  const code = `
    let i = group * ${threads}u + thread;
    if (i < ${Math.ceil(length / 4)}u) {
      if (isSkipped) {
        ${copies.join(' ')}
      } else {
        let next = updated(vec4<f32>(g${index}[i]), ${values.join(', ')});
        ${stores.join(' ')}
      }
    }`;
  return { reads, writes, code };
}

/** New parameters and moments of a batch. */
function applyUpdates(
  shared: Operand,
  updates: readonly Update[],
  { beta1, beta2, epsilon }: AdamwAttributes,
): Dispatch {
  const bound = updates.map(updateCode);
  const groups = updates.map(({ length }) => Math.ceil(length / (4 * threads)));
  return {
    kernel: 'adamw',
    reads: Object.assign({ scalars: shared }, ...bound.map(({ reads }) => reads)) as Ranges<string>,
    writes: Object.assign({}, ...bound.map(({ writes }) => writes)) as Ranges<string>,
    code: `
${sharedPlaces}
struct Updated { p: vec4<f32>, m: vec4<f32>, v: vec4<f32> }
fn updated(g: vec4<f32>, p: vec4<f32>, m: vec4<f32>, v: vec4<f32>) -> Updated {
  let gradient = g * scalars[gradientFactor];
  let nextM = ${literal(beta1)} * m + ${literal(1 - beta1)} * gradient;
  let nextV = ${literal(beta2)} * v + ${literal(1 - beta2)} * gradient * gradient;
  let denominator = sqrt(nextV * scalars[varianceFactor]) + ${literal(epsilon)};
  return Updated(p * scalars[decayFactor] - scalars[stepSize] * nextM / denominator, nextM, nextV);
}
@compute @workgroup_size(${threads})
fn main(
  @builtin(workgroup_id) _group: vec3u,
  @builtin(num_workgroups) _groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let all = _group.y * _groups.x + _group.x;
  let isSkipped = scalars[skip] != 0.0;
${byGroup(groups, (item) => bound[item].code)}
}`,
    workgroups: grid(sum(groups)),
  };
}

export const optimizerKernels = {
  globalNorm: ({ inputs, outputs: [norm] }, setup) =>
    globalNorm(operands(inputs, setup), setup.operand(norm), setup),
  adamw: ({ inputs, outputs, attributes }, setup) => {
    const { scalars, parameters, gradients, m, v } = adamwParts(operands(inputs, setup));
    const next = operands(outputs, setup);
    const count = parameters.length;
    const updates = parameters.map((parameter, i) =>
      updateOf(
        gradients[i],
        [parameter, m[i], v[i]],
        [next[i], next[count + i], next[2 * count + i]],
      ),
    );
    return adamw(scalars, updates, attributes, setup);
  },
} satisfies Partial<Kernels>;
