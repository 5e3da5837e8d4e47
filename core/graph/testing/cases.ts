/**
 * Cases for every op, as data: what to feed and which nodes to build. The gradient check and the
 * conformance of every executor run over them, so an op without a case does not compile, and an
 * executor that is wrong about an attribute is found out.
 *
 * Values are multiples of 2^-10, so that float32 holds them, and a step of 2^-12 beside them, exactly.
 * They keep away from kinks (ReLU at zero, equal routing logits) by more than that step.
 */
import { sizeOf, type DType, type Graph, type Tensor, type Uniforms } from '../graph.ts';
import { adamw } from '../ops/adamw.ts';
import { add } from '../ops/add.ts';
import { attention, type AttentionAttributes } from '../ops/attention.ts';
import { attentionGrad } from '../ops/attentionGrad.ts';
import { broadcast } from '../ops/broadcast.ts';
import { columnSum } from '../ops/columnSum.ts';
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
import { selectOp } from '../ops/select.ts';
import { selectGrad } from '../ops/selectGrad.ts';
import { uniform } from '../random.ts';

export interface CaseInput {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly values: Float32Array | Int32Array;
}

export interface OpCase {
  /** What is special about this case. */
  readonly name: string;
  readonly inputs: readonly CaseInput[];
  /** Builds the op on the inputs, and whatever it needs before it; returns the op's outputs. */
  build(inputs: readonly Tensor[], graph: Graph): readonly Tensor[];
  /** Output that gradients come from; 0 unless said otherwise. */
  readonly differentiated?: number;
}

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

const caseStream = 0x7000_0000;

/** Numbers one after the other, seeded by a name. */
function generator(seed: string): () => number {
  const hash = [...seed].reduce((sum, character) => sum * 31 + character.charCodeAt(0), 7) >>> 0;
  let index = 0;
  return () => uniform(caseStream, 0, index++, hash);
}

const exact = (value: number): number => Math.round(value * 1024) / 1024;

/** Values in [−1, 1), or as `shape` them. */
function dense(
  seed: string,
  shape: readonly number[],
  form: (draw: number) => number = (draw) => 2 * draw - 1,
): CaseInput {
  const next = generator(seed);
  const values = Float32Array.from({ length: sizeOf(shape) }, () => exact(form(next())));
  return { shape, dtype: 'f32', values };
}

/** Outputs of a ReLU: about half are zero, the others at least 1/16. */
const rectified = (seed: string, shape: readonly number[]): CaseInput =>
  dense(seed, shape, (draw) => (draw < 0.5 ? 0 : draw - 0.4375));

const positive = (seed: string, shape: readonly number[]): CaseInput =>
  dense(seed, shape, (draw) => 0.125 + draw);

function whole(seed: string, shape: readonly number[], limit: number): CaseInput {
  const next = generator(seed);
  const values = Int32Array.from({ length: sizeOf(shape) }, () => Math.floor(next() * limit));
  return { shape, dtype: 'i32', values };
}

/** For every group of every row, the numbers below `experts` in random order. */
function orders(seed: string, count: number, experts: number): number[][] {
  const next = generator(seed);
  return Array.from({ length: count }, () => {
    const keys = Array.from({ length: experts }, next);
    return keys.map((_, i) => i).toSorted((a, b) => keys[a] - keys[b]);
  });
}

/** Different experts for every group: [.., G·k]. */
function choices(
  seed: string,
  lead: readonly number[],
  groups: number,
  k: number,
  experts: number,
): CaseInput {
  const values = orders(seed, sizeOf(lead) * groups, experts).flatMap((order) => order.slice(0, k));
  return { shape: [...lead, groups * k], dtype: 'i32', values: Int32Array.from(values) };
}

/** Logits of which no two in a group are closer than 1/4: [.., G·E]. */
function separatedLogits(
  seed: string,
  lead: readonly number[],
  groups: number,
  experts: number,
): CaseInput {
  const next = generator(`${seed} noise`);
  const values = orders(seed, sizeOf(lead) * groups, experts).flatMap((order) =>
    order.map((rank) => exact((rank - experts / 2) * 0.375 + next() * 0.125)),
  );
  return { shape: [...lead, groups * experts], dtype: 'f32', values: Float32Array.from(values) };
}

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

interface AttentionSizes {
  readonly batch: number;
  readonly length: number;
  readonly source: number;
  readonly heads: number;
  readonly width: number;
  readonly valueWidth: number;
}

const attentionSizes: Readonly<Record<string, AttentionSizes>> = {
  square: { batch: 2, length: 7, source: 7, heads: 2, width: 4, valueWidth: 4 },
  'longer source': { batch: 2, length: 5, source: 13, heads: 3, width: 5, valueWidth: 2 },
  'one head': { batch: 1, length: 13, source: 13, heads: 1, width: 6, valueWidth: 8 },
  'one query': { batch: 3, length: 1, source: 4, heads: 2, width: 3, valueWidth: 3 },
};

/** All sizes, causal or not, both ways of saving. */
function attentionCases(
  make: (name: string, sizes: AttentionSizes, attributes: AttentionAttributes) => OpCase,
): OpCase[] {
  return Object.entries(attentionSizes).flatMap(([name, sizes]) =>
    [true, false].flatMap((causal) =>
      (['lse', 'probabilities'] as const).map((save) =>
        make(`${name}, ${causal ? 'causal' : 'full'}, saves ${save}`, sizes, {
          heads: sizes.heads,
          causal,
          scale: 1 / Math.sqrt(sizes.width),
          save,
        }),
      ),
    ),
  );
}

function attentionInputs(name: string, sizes: AttentionSizes): CaseInput[] {
  const { batch, length, source, heads, width, valueWidth } = sizes;
  const signed = (draw: number) => 4 * draw - 2;
  return [
    dense(`${name} q`, [batch, length, heads * width], signed),
    dense(`${name} k`, [batch, source, heads * width], signed),
    dense(`${name} v`, [batch, source, heads * valueWidth]),
  ];
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
};

export const cases: { readonly [N in OpName]: readonly OpCase[] } = {
  adamw: [1, 0.01].map((clip): OpCase => {
    const shapes = [[7, 3], [5], [2, 3, 4]];
    const part = (name: string, make: typeof dense) =>
      shapes.map((shape, i) => make(`adamw ${name} ${i}`, shape));
    return {
      name: clip === 1 ? 'no clipping' : 'clipped',
      inputs: [
        dense('adamw norm', [], () => 0.25),
        ...part('parameters', dense),
        ...part('gradients', dense),
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

  attention: attentionCases((name, sizes, attributes) => ({
    name,
    inputs: attentionInputs(`attention ${name}`, sizes),
    build: ([q, k, v]) => attention(q, k, v, attributes),
  })),

  attentionGrad: attentionCases((name, sizes, attributes) => ({
    name,
    inputs: [
      ...attentionInputs(`attentionGrad ${name}`, sizes),
      dense(`attentionGrad ${name} dy`, [
        sizes.batch,
        sizes.length,
        sizes.heads * sizes.valueWidth,
      ]),
    ],
    build: ([q, k, v, dy]) => {
      const [y, saved] = attention(q, k, v, attributes);
      return attentionGrad(q, k, v, y, saved, dy, attributes);
    },
  })),

  broadcast: [[3, 7], [13], []].map((shape) => ({
    name: `to [${shape.join(', ')}]`,
    inputs: [dense('broadcast x', [])],
    build: ([x]) => [broadcast(x, shape, 0.75)],
  })),

  columnSum: [
    { name: 'two axes', inputs: [dense('columnSum 2', [41, 7])], build: ([x]) => [columnSum(x)] },
    {
      name: 'three axes',
      inputs: [dense('columnSum 3', [2, 13, 5])],
      build: ([x]) => [columnSum(x)],
    },
  ],

  crossEntropy: [
    { shape: [7], classes: 41 },
    { shape: [2, 5], classes: 13 },
  ].map(({ shape, classes }) => ({
    name: `${classes} classes, targets [${shape.join(', ')}]`,
    inputs: [
      dense(`crossEntropy ${classes}`, [...shape, classes], (draw) => 8 * draw - 4),
      whole(`crossEntropy targets ${classes}`, shape, classes),
    ],
    build: ([logits, targets], graph) => graph.emit(crossEntropyOp, [logits, targets], null),
  })),

  crossEntropyGrad: [
    {
      name: '13 classes',
      inputs: [
        dense('crossEntropyGrad', [2, 5, 13], (draw) => 8 * draw - 4),
        whole('crossEntropyGrad targets', [2, 5], 13),
        dense('crossEntropyGrad dLosses', [2, 5]),
      ],
      build: ([logits, targets, dLosses], graph) => {
        const [, lse] = graph.emit(crossEntropyOp, [logits, targets], null);
        return [crossEntropyGrad(logits, targets, lse, dLosses)];
      },
    },
  ],

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

  dropout: [0.25, 0].map((rate) => ({
    name: `rate ${rate}`,
    inputs: [dense('dropout x', [3, 7, 5])],
    build: ([x]) => [dropout(x, { rate, site: 11 })],
  })),

  embedding: [
    {
      name: 'scaled',
      inputs: [dense('embedding table', [13, 7]), whole('embedding ids', [3, 5], 13)],
      build: ([table, ids]) => [embedding(table, ids, 2.5)],
    },
  ],

  embeddingGrad: [
    {
      name: 'repeated and absent ids',
      inputs: [whole('embeddingGrad ids', [3, 5], 6), dense('embeddingGrad dy', [3, 5, 7])],
      build: ([ids, dy]) => [embeddingGrad(ids, dy, 13, 2.5)],
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

  select: [
    { groups: 1, k: 2, experts: 5 },
    { groups: 3, k: 2, experts: 4 },
    { groups: 3, k: 1, experts: 7 },
    { groups: 2, k: 3, experts: 3 },
    { groups: 2, k: 1, experts: 1 },
  ].map(({ groups, k, experts }) => ({
    name: `${groups} groups, ${k} of ${experts}`,
    inputs: [separatedLogits(`select ${groups} ${k} ${experts}`, [2, 5], groups, experts)],
    build: ([logits], graph) => graph.emit(selectOp, [logits], { groups, k }),
    differentiated: 1,
  })),

  selectGrad: [
    { groups: 1, k: 2, experts: 5 },
    { groups: 3, k: 2, experts: 4 },
    { groups: 2, k: 1, experts: 1 },
  ].map(({ groups, k, experts }) => ({
    name: `${groups} groups, ${k} of ${experts}`,
    inputs: [
      choices(`selectGrad ${groups} ${experts}`, [2, 5], groups, k, experts),
      dense('selectGrad weights', [2, 5, groups * k], (draw) => 0.1 + 0.8 * draw),
      dense('selectGrad dWeights', [2, 5, groups * k]),
    ],
    build: ([indices, weights, dWeights]) => [
      selectGrad(indices, weights, dWeights, { groups, k, experts }),
    ],
  })),
};
