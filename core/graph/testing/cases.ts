/**
 * Cases for every op, as data: what to feed and which nodes to build. The gradient check and the
 * conformance of every executor run over them, so an op without a case does not compile, and an
 * executor that is wrong about an attribute is found out.
 */
import type { Tensor, Uniforms } from '../graph.ts';
import { adamw } from '../ops/adamw.ts';
import { add } from '../ops/add.ts';
import { broadcast } from '../ops/broadcast.ts';
import { columnSum } from '../ops/columnSum.ts';
import { concat } from '../ops/concat.ts';
import { crossEntropyOp } from '../ops/crossEntropy.ts';
import { crossEntropyGrad } from '../ops/crossEntropyGrad.ts';
import { cvmm, slots, type CvmmAttributes } from '../ops/cvmm.ts';
import { cvmmGradInput } from '../ops/cvmmGradInput.ts';
import { cvmmGradWeight } from '../ops/cvmmGradWeight.ts';
import { dropout } from '../ops/dropout.ts';
import { embedding } from '../ops/embedding.ts';
import { embeddingGrad } from '../ops/embeddingGrad.ts';
import { globalNorm } from '../ops/globalNorm.ts';
import type { OpName } from '../ops/index.ts';
import { layernormOp } from '../ops/layernorm.ts';
import { layernormGrad } from '../ops/layernormGrad.ts';
import { matmul, type MatmulAttributes } from '../ops/matmul.ts';
import { mean } from '../ops/mean.ts';
import { reluGrad } from '../ops/reluGrad.ts';
import { rope, type RopeAttributes } from '../ops/rope.ts';
import { scale } from '../ops/scale.ts';
import { sinusoid } from '../ops/sinusoid.ts';
import { slice } from '../ops/slice.ts';
import { attentionCases, attentionGradCases } from './attentionCases.ts';
import {
  choices,
  dense,
  positive,
  rectified,
  whole,
  type CaseInput,
  type OpCase,
} from './caseInputs.ts';
import { routingCases } from './routingCases.ts';

export type { CaseInput, OpCase };

/** Uniforms that all cases run with; the seed has its highest bit set. */
export const caseUniforms: Uniforms = {
  learningRate: 0.01,
  step: 3,
  seed: 0x9e37_79b9,
  draw: 7,
  lossScale: 4,
};

/** The step of a central difference that keeps every value of a case exact in float32. */
export const differenceStep = 2 ** -12;

function matmulCase(
  name: string,
  a: readonly number[],
  b: readonly number[],
  options: Partial<MatmulAttributes> & { bias?: number } = {},
): OpCase {
  const { bias, ...attributes } = options;
  const seed = `matmul ${name}`;
  return {
    name,
    inputs: [
      dense(`${seed} a`, a),
      dense(`${seed} b`, b),
      ...(bias === undefined ? [] : [dense(`${seed} bias`, [bias])]),
    ],
    build: ([x, y, added]) => [
      matmul(x, y, {
        ...attributes,
        ...((added as Tensor | undefined) === undefined ? {} : { bias: added }),
      }),
    ],
  };
}

interface ExpertCase {
  readonly lead: readonly number[];
  readonly experts: number;
  readonly inner: number;
  readonly width: number;
  readonly attributes: CvmmAttributes;
  readonly weighted: boolean;
}

const linear = { transpose: false, activation: 'none' } as const;

/** Every layout that the models use or will use, and the corners of k, E and G. */
const expertCases: Readonly<Record<string, ExpertCase>> = {
  'token to group, weighted': {
    lead: [2, 5],
    experts: 4,
    inner: 7,
    width: 3,
    attributes: { ...linear, groups: 3, k: 2, from: 'token', to: 'group' },
    weighted: true,
  },
  'token to group, widening': {
    lead: [2, 5],
    experts: 4,
    inner: 3,
    width: 7,
    attributes: { ...linear, groups: 3, k: 2, from: 'token', to: 'group' },
    weighted: true,
  },
  'group to token, weighted': {
    lead: [2, 5],
    experts: 4,
    inner: 3,
    width: 7,
    attributes: { ...linear, groups: 3, k: 2, from: 'group', to: 'token' },
    weighted: true,
  },
  'group to token, narrowing': {
    lead: [2, 5],
    experts: 4,
    inner: 7,
    width: 3,
    attributes: { ...linear, groups: 3, k: 2, from: 'group', to: 'token' },
    weighted: true,
  },
  'group to token, no weights, transposed': {
    lead: [6],
    experts: 3,
    inner: 4,
    width: 5,
    attributes: { ...linear, groups: 2, k: 2, from: 'group', to: 'token', transpose: true },
    weighted: false,
  },
  'token to choice, relu': {
    lead: [2, 4],
    experts: 5,
    inner: 6,
    width: 4,
    attributes: {
      groups: 1,
      k: 3,
      from: 'token',
      to: 'choice',
      transpose: false,
      activation: 'relu',
    },
    weighted: false,
  },
  'token to choice, weighted, three groups': {
    lead: [7],
    experts: 3,
    inner: 4,
    width: 2,
    attributes: { ...linear, groups: 3, k: 2, from: 'token', to: 'choice' },
    weighted: true,
  },
  'choice to token, weighted': {
    lead: [2, 4],
    experts: 5,
    inner: 4,
    width: 6,
    attributes: { ...linear, groups: 1, k: 3, from: 'choice', to: 'token' },
    weighted: true,
  },
  'choice to group, weighted, transposed': {
    lead: [7],
    experts: 4,
    inner: 3,
    width: 2,
    attributes: { ...linear, groups: 3, k: 2, from: 'choice', to: 'group', transpose: true },
    weighted: true,
  },
  'choice to choice, weighted': {
    lead: [5],
    experts: 3,
    inner: 4,
    width: 3,
    attributes: { ...linear, groups: 2, k: 2, from: 'choice', to: 'choice' },
    weighted: true,
  },
  'group to group, weighted': {
    lead: [7],
    experts: 4,
    inner: 5,
    width: 3,
    attributes: { ...linear, groups: 3, k: 2, from: 'group', to: 'group' },
    weighted: true,
  },
  'group to choice, weighted': {
    lead: [7],
    experts: 4,
    inner: 3,
    width: 5,
    attributes: { ...linear, groups: 3, k: 2, from: 'group', to: 'choice' },
    weighted: true,
  },
  'transposed, weighted': {
    lead: [2, 5],
    experts: 4,
    inner: 7,
    width: 3,
    attributes: { ...linear, groups: 2, k: 2, from: 'token', to: 'group', transpose: true },
    weighted: true,
  },
  'k = 1': {
    lead: [13],
    experts: 4,
    inner: 7,
    width: 3,
    attributes: { ...linear, groups: 2, k: 1, from: 'token', to: 'group' },
    weighted: true,
  },
  'E = 1': {
    lead: [13],
    experts: 1,
    inner: 7,
    width: 3,
    attributes: { ...linear, groups: 2, k: 1, from: 'group', to: 'token' },
    weighted: true,
  },
  'k = E': {
    lead: [6],
    experts: 3,
    inner: 4,
    width: 5,
    attributes: { ...linear, groups: 1, k: 3, from: 'token', to: 'token' },
    weighted: true,
  },
  'many experts, few tokens': {
    lead: [3],
    experts: 16,
    inner: 4,
    width: 5,
    attributes: { ...linear, groups: 1, k: 2, from: 'token', to: 'group' },
    weighted: true,
  },
};

function expertInputs(name: string, c: ExpertCase): CaseInput[] {
  const { groups, k, from, transpose } = c.attributes;
  const matrix = transpose ? [c.width, c.inner] : [c.inner, c.width];
  return [
    dense(`${name} x`, [...c.lead, slots(from, groups, k) * c.inner]),
    choices(`${name} indices`, c.lead, groups, k, c.experts),
    dense(`${name} matrices`, [groups * c.experts, ...matrix]),
    ...(c.weighted ? [positive(`${name} weights`, [...c.lead, groups * k])] : []),
  ];
}

/** The gradient of the forward result, in its shape. */
function expertCotangent(name: string, c: ExpertCase): CaseInput {
  const { groups, k, to } = c.attributes;
  return dense(`${name} dy`, [...c.lead, slots(to, groups, k) * c.width]);
}

const expertGradientCases = Object.entries(expertCases).map(
  ([name, c]): readonly [string, ExpertCase] => [
    name,
    { ...c, attributes: { ...c.attributes, activation: 'none' } },
  ],
);

const ropeVariants: Readonly<Record<string, Partial<RopeAttributes> & { width: number }>> = {
  'all channels': { width: 6, rotated: 6 },
  'half of the channels': { width: 8, rotated: 4 },
  'odd width': { width: 7, rotated: 2 },
  inverse: { width: 8, rotated: 4, inverse: true },
  'later positions': { width: 6, rotated: 6, offset: 100 },
  'much later positions': { width: 12, rotated: 8, offset: 5000 },
};

export const cases: { readonly [N in OpName]: readonly OpCase[] } = {
  ...routingCases,

  adamw: [
    { name: 'no clipping', clip: 1, norm: 0.25 },
    { name: 'clipped', clip: 0.01, norm: 0.25 },
    { name: 'skipped, the norm is not a number', clip: 1, norm: NaN },
    { name: 'skipped, the norm is infinite', clip: 1, norm: Infinity },
  ].map(({ name: caseName, clip, norm: normValue }): OpCase => {
    const shapes = [[7, 3], [5], [2, 3, 4]];
    const part = (name: string, make: typeof dense) =>
      shapes.map((shape, i) => make(`adamw ${name} ${i}`, shape));
    // Where the norm is not finite, some gradients are not either.
    const gradients: typeof dense = (seed, shape) =>
      dense(seed, shape, (draw) =>
        draw < 0.1 && !Number.isFinite(normValue) ? normValue : 2 * draw - 1,
      );
    return {
      name: caseName,
      inputs: [
        dense('adamw norm', [], () => normValue),
        ...part('parameters', dense),
        ...part('gradients', gradients),
        ...part('m', dense),
        ...part('v', positive),
      ],
      build: ([norm, ...rest]) => {
        const at = (i: number) => rest.slice(3 * i, 3 * i + 3);
        const next = adamw(at(0), at(1), at(2), at(3), norm, {
          beta1: 0.9,
          beta2: 0.999,
          epsilon: 1e-8,
          weightDecay: 0.1,
          clip,
        });
        return [...next.parameters, ...next.m, ...next.v];
      },
    };
  }),

  add: [1, -0.75].map((factor) => ({
    name: `factor ${factor}`,
    inputs: [dense('add a', [3, 7]), dense('add b', [3, 7])],
    build: ([a, b]) => [add(a, b, factor)],
  })),

  attention: attentionCases,

  attentionGrad: attentionGradCases,

  broadcast: [[3, 7], [13], []].map((shape) => ({
    name: `to [${shape.join(', ')}]`,
    inputs: [dense('broadcast x', [])],
    build: ([x]) => [broadcast(x, shape, 0.75)],
  })),

  columnSum: [
    { name: 'many rows', inputs: [dense('columnSum 4', [70, 12])], build: ([x]) => [columnSum(x)] },
    { name: 'two axes', inputs: [dense('columnSum 2', [41, 7])], build: ([x]) => [columnSum(x)] },
    {
      name: 'three axes',
      inputs: [dense('columnSum 3', [2, 13, 5])],
      build: ([x]) => [columnSum(x)],
    },
  ],

  concat: [
    { a: 7, b: 5 },
    { a: 1, b: 4 },
    { a: 4, b: 1 },
    { a: 3, b: 2, channels: 8 },
  ].map(({ a, b, channels = 5 }) => ({
    name: `${a} and ${b} tokens of ${channels} channels`,
    inputs: [dense(`concat a ${a}`, [3, a, channels]), dense(`concat b ${b}`, [3, b, channels])],
    build: ([first, second]) => [concat(first, second)],
  })),

  crossEntropy: [
    { shape: [7], classes: 41 },
    { shape: [2, 5], classes: 13 },
    { shape: [9], classes: 20 },
  ].map(({ shape, classes }) => ({
    name: `${classes} classes, targets [${shape.join(', ')}]`,
    inputs: [
      dense(`crossEntropy ${classes}`, [...shape, classes], (draw) => 8 * draw - 4),
      whole(`crossEntropy targets ${classes}`, shape, classes),
    ],
    build: ([logits, targets], graph) => graph.emit(crossEntropyOp, [logits, targets], null),
  })),

  crossEntropyGrad: [
    { shape: [2, 5], classes: 13 },
    { shape: [9], classes: 20 },
  ].map(({ shape, classes }) => ({
    name: `${classes} classes`,
    inputs: [
      dense('crossEntropyGrad', [...shape, classes], (draw) => 8 * draw - 4),
      whole('crossEntropyGrad targets', shape, classes),
      dense('crossEntropyGrad dLosses', shape),
    ],
    build: ([logits, targets, dLosses], graph) => {
      const [, lse] = graph.emit(crossEntropyOp, [logits, targets], null);
      return [crossEntropyGrad(logits, targets, lse, dLosses)];
    },
  })),

  cvmm: Object.entries(expertCases).map(([name, c]) => ({
    name,
    inputs: expertInputs(`cvmm ${name}`, c),
    build: ([x, indices, matrices, weights]) => [
      cvmm(x, indices, matrices, c.weighted ? weights : undefined, c.attributes),
    ],
  })),

  cvmmGradInput: expertGradientCases.map(([name, c]) => ({
    name,
    inputs: [
      expertCotangent(`cvmmGradInput ${name}`, c),
      ...expertInputs(`cvmmGradInput ${name}`, c),
    ],
    build: ([dy, x, indices, matrices, weights]) =>
      cvmmGradInput(dy, x, indices, matrices, c.weighted ? weights : undefined, c.attributes),
  })),

  cvmmGradWeight: expertGradientCases.map(([name, c]) => ({
    name,
    inputs: [
      expertCotangent(`cvmmGradWeight ${name}`, c),
      ...expertInputs(`cvmmGradWeight ${name}`, c),
    ],
    build: ([dy, x, indices, , weights]) => [
      cvmmGradWeight(x, dy, indices, c.weighted ? weights : undefined, {
        ...c.attributes,
        experts: c.attributes.groups * c.experts,
      }),
    ],
  })),

  dropout: (['element', 'row'] as const).flatMap((unit) =>
    [
      { rate: 0.25, channels: 5 },
      { rate: 0, channels: 5 },
      { rate: 0.25, channels: 8 },
    ].map(({ rate, channels }): OpCase => ({
      name: `rate ${rate} by ${unit}, ${channels} channels`,
      inputs: [dense('dropout x', [3, 7, channels])],
      build: ([x]) => [dropout(x, { rate, site: 11, unit })],
    })),
  ),

  embedding: [
    {
      name: 'scaled',
      inputs: [dense('embedding table', [13, 7]), whole('embedding ids', [3, 5], 13)],
      build: ([table, ids]) => [embedding(table, ids, 2.5)],
    },
    {
      name: 'rows of activations',
      inputs: [dense('embedding activations', [3, 5, 7]), whole('embedding rows', [3], 15)],
      build: ([table, ids]) => [embedding(table, ids, 1)],
    },
  ],

  embeddingGrad: [
    {
      name: 'repeated and absent ids',
      inputs: [whole('embeddingGrad ids', [3, 5], 6), dense('embeddingGrad dy', [3, 5, 7])],
      build: ([ids, dy]) => [embeddingGrad(ids, dy, [13, 7], 2.5)],
    },
    {
      name: 'rows of activations',
      inputs: [whole('embeddingGrad rows', [3], 15), dense('embeddingGrad dRows', [3, 7])],
      build: ([ids, dy]) => [embeddingGrad(ids, dy, [3, 5, 7], 1)],
    },
    {
      name: 'a frequent id among many',
      inputs: [
        {
          shape: [50],
          dtype: 'i32',
          values: Int32Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? 7 : (31 * i) % 300)),
        },
        dense('embeddingGrad many', [50, 4]),
      ],
      build: ([ids, dy]) => [embeddingGrad(ids, dy, [300, 4], 1)],
    },
  ],

  globalNorm: [
    {
      name: 'three tensors',
      inputs: [dense('norm 1', [7, 3]), dense('norm 2', [5]), dense('norm 3', [2, 3, 4])],
      build: (gradients) => [globalNorm(gradients)],
    },
  ],

  layernorm: [
    { shape: [3, 7], spread: 1 },
    { shape: [2, 5, 41], spread: 8 },
    { shape: [9, 20], spread: 2 },
  ].map(({ shape, spread }) => ({
    name: `[${shape.join(', ')}]`,
    inputs: [
      dense('layernorm x', shape, (draw) => spread * (draw - 0.25)),
      positive('layernorm gain', [shape[shape.length - 1]]),
      dense('layernorm bias', [shape[shape.length - 1]]),
    ],
    build: ([x, gain, bias], graph) => graph.emit(layernormOp, [x, gain, bias], { epsilon: 1e-5 }),
  })),

  layernormGrad: [
    [3, 7],
    [2, 5, 41],
    [9, 20],
  ].map((shape) => ({
    name: `[${shape.join(', ')}]`,
    inputs: [
      dense('layernormGrad x', shape),
      positive('layernormGrad gain', [shape[shape.length - 1]]),
      dense('layernormGrad bias', [shape[shape.length - 1]]),
      dense('layernormGrad dy', shape),
    ],
    build: ([x, gain, bias, dy], graph) => {
      const [, average, deviation] = graph.emit(layernormOp, [x, gain, bias], { epsilon: 1e-5 });
      return layernormGrad(x, gain, average, deviation, dy);
    },
  })),

  matmul: [
    matmulCase('plain', [5, 7], [7, 3]),
    matmulCase('leading axes', [2, 3, 13], [13, 5]),
    matmulCase('odd sizes', [7, 41], [41, 13]),
    matmulCase('bias', [2, 3, 7], [7, 5], { bias: 5 }),
    matmulCase('relu', [2, 5, 7], [7, 3], { activation: 'relu' }),
    matmulCase('bias and relu', [2, 5, 7], [7, 4], { bias: 4, activation: 'relu' }),
    matmulCase('transposed b', [2, 3, 7], [5, 7], { transposeB: true }),
    matmulCase('transposed b, bias and relu', [2, 3, 7], [5, 7], {
      transposeB: true,
      bias: 5,
      activation: 'relu',
    }),
    matmulCase('transposed a', [13, 5], [13, 7], { transposeA: true }),
    matmulCase('transposed a, leading axes', [2, 3, 7], [2, 3, 4], { transposeA: true }),
  ],

  mean: [
    { name: 'a matrix', inputs: [dense('mean', [7, 13])], build: ([x]) => [mean(x)] },
    { name: 'a vector', inputs: [dense('mean', [41])], build: ([x]) => [mean(x)] },
  ],

  reluGrad: [
    {
      name: 'half off',
      inputs: [rectified('reluGrad y', [7, 13]), dense('reluGrad dy', [7, 13])],
      build: ([y, dy]) => [reluGrad(y, dy)],
    },
  ],

  rope: Object.entries(ropeVariants).map(([name, { width, ...variant }]) => ({
    name,
    inputs: [dense(`rope ${name}`, [2, 5, 3 * width])],
    build: ([x]) => [
      rope(x, { heads: 3, rotated: width, base: 10_000, offset: 0, inverse: false, ...variant }),
    ],
  })),

  scale: [
    {
      name: 'by −1.25',
      inputs: [dense('scale x', [3, 7])],
      build: ([x]) => [scale(x, -1.25)],
    },
  ],

  sinusoid: [
    { count: 7, width: 6, first: 0 },
    { count: 5, width: 7, first: -3 },
    { count: 1, width: 1, first: 2000 },
  ].map((attributes) => ({
    name: `${attributes.count} positions from ${attributes.first}, ${attributes.width} wide`,
    inputs: [],
    build: (_inputs, graph) => [sinusoid(graph, attributes)],
  })),

  slice: [
    { start: 0, length: 7 },
    { start: 0, length: 3 },
    { start: 4, length: 3 },
    { start: 2, length: 1 },
    { start: 2, length: 3, channels: 8 },
  ].map(({ start, length, channels = 5 }) => ({
    name: `${length} tokens from ${start}, ${channels} channels`,
    inputs: [dense('slice x', [3, 7, channels])],
    build: ([x]) => [slice(x, start, length)],
  })),
};
