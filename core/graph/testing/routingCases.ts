/** Cases of everything between a router's logits and its gates, and of its regularisers. */
import { expertDropout } from '../ops/expertDropout.ts';
import type { OpName } from '../ops/index.ts';
import { routerLoss, type RouterLossAttributes } from '../ops/routerLoss.ts';
import { routerLossGrad } from '../ops/routerLossGrad.ts';
import { selectOp } from '../ops/select.ts';
import { selectGrad } from '../ops/selectGrad.ts';
import { softmax } from '../ops/softmax.ts';
import { softmaxGrad } from '../ops/softmaxGrad.ts';
import {
  choices,
  dense,
  positive,
  separatedLogits,
  type CaseInput,
  type OpCase,
} from './caseInputs.ts';

interface RouterCase {
  readonly lead: readonly number[];
  readonly experts: number;
  readonly attributes: RouterLossAttributes;
  /** Gates that nobody gave anything to. */
  readonly noGates?: boolean;
  /** Logits of experts that nobody can choose. */
  readonly hidden?: boolean;
}

const none = { entropy: 0, variation: 0, switch: 0, z: 0 };
const all = { entropy: 0.5, variation: 0.75, switch: 1.5, z: 0.25 };

const routerCases: Readonly<Record<string, RouterCase>> = {
  entropy: { lead: [2, 5], experts: 4, attributes: { ...none, groups: 1, k: 2, entropy: 0.5 } },
  switch: { lead: [2, 5], experts: 4, attributes: { ...none, groups: 1, k: 2, switch: 1.5 } },
  'z-loss': { lead: [2, 5], experts: 4, attributes: { ...none, groups: 1, k: 2, z: 0.25 } },
  variation: { lead: [2, 5], experts: 4, attributes: { ...none, groups: 1, k: 2, variation: 2 } },
  'all, three groups': { lead: [7], experts: 5, attributes: { ...all, groups: 3, k: 2 } },
  'k = 1, two groups': { lead: [3, 4], experts: 3, attributes: { ...all, groups: 2, k: 1 } },
  'k = E': { lead: [7], experts: 3, attributes: { ...all, groups: 1, k: 3 } },
  'E = 1': { lead: [5], experts: 1, attributes: { ...all, groups: 2, k: 1 } },
  'one token': { lead: [1], experts: 4, attributes: { ...all, groups: 2, k: 2 } },
  'an expert out of reach': {
    lead: [6],
    experts: 4,
    attributes: { ...all, groups: 1, k: 2 },
    hidden: true,
  },
};

/** logits [.., G·E], indices [.., G·k], gates [.., G·k] */
function routerInputs(name: string, c: RouterCase): CaseInput[] {
  const { groups, k } = c.attributes;
  const logits = dense(`${name} logits`, [...c.lead, groups * c.experts], (draw) => 3 * draw - 1);
  if (c.hidden === true)
    for (let i = 0; i < logits.values.length; i += c.experts) logits.values[i] = -1e9;
  const gates = positive(`${name} gates`, [...c.lead, groups * k]);
  if (c.noGates === true) gates.values.fill(0);
  return [logits, choices(`${name} indices`, c.lead, groups, k, c.experts), gates];
}

const selections = [
  { groups: 1, k: 2, experts: 5 },
  { groups: 3, k: 2, experts: 4 },
  { groups: 3, k: 1, experts: 7 },
  { groups: 2, k: 3, experts: 3 },
  { groups: 2, k: 1, experts: 1 },
].flatMap((sizes) =>
  (['sigmoid', 'logit'] as const).map((weights) => ({
    ...sizes,
    weights,
    name: `${sizes.groups} groups, ${sizes.k} of ${sizes.experts}, ${weights}`,
  })),
);

const softmaxShapes = [[2, 5, 7], [3, 1], [13], [9, 20]];

type RoutingOp = Extract<
  OpName,
  `select${string}` | `softmax${string}` | `routerLoss${string}` | 'expertDropout'
>;

export const routingCases: { readonly [N in RoutingOp]: readonly OpCase[] } = {
  expertDropout: [0.25, 0.75, 0].map((rate) => ({
    name: `rate ${rate}`,
    inputs: [dense('expertDropout logits', [3, 5, 8])],
    // Beside the huge values of hidden logits a difference of the others is seen after a softmax only.
    build: ([logits]) => {
      const kept = expertDropout(logits, { rate, site: 11 });
      return [kept, softmax(kept)];
    },
  })),

  routerLoss: Object.entries(routerCases).map(([name, c]) => ({
    name,
    inputs: routerInputs(`routerLoss ${name}`, c),
    build: ([logits, indices, gates]) => [routerLoss(logits, indices, gates, c.attributes)],
  })),

  routerLossGrad: Object.entries({
    ...routerCases,
    'no gates': {
      lead: [3],
      experts: 4,
      attributes: { ...none, groups: 1, k: 2, variation: 1 },
      noGates: true,
    },
  }).map(([name, c]) => ({
    name,
    inputs: [...routerInputs(`routerLossGrad ${name}`, c), dense('dLoss', [], () => 1.5)],
    build: ([logits, indices, gates, dLoss]) => [
      ...routerLossGrad(logits, indices, gates, dLoss, c.attributes),
      routerLoss(logits, indices, gates, c.attributes),
    ],
  })),

  select: [
    ...selections.map(({ name, groups, k, experts, weights }): OpCase => ({
      name,
      inputs: [separatedLogits(`select ${groups} ${k} ${experts}`, [2, 5], groups, experts)],
      build: ([logits], graph) => graph.emit(selectOp, [logits], { groups, k, weights }),
      differentiated: 1,
    })),
    {
      name: 'fewer kept experts than choices: ties to the lower index',
      inputs: [
        {
          shape: [2, 4],
          dtype: 'f32',
          values: Float32Array.of(-1e9, 0.5, -1e9, -1e9, -1e9, -1e9, -1e9, -1e9),
        },
      ],
      build: ([logits], graph) =>
        graph.emit(selectOp, [logits], { groups: 1, k: 3, weights: 'sigmoid' }),
      differentiated: 1,
    },
  ],

  selectGrad: selections.map(({ name, groups, k, experts, weights: kind }) => ({
    name,
    inputs: [
      choices(`selectGrad ${groups} ${experts}`, [2, 5], groups, k, experts),
      dense('selectGrad weights', [2, 5, groups * k], (draw) => 0.1 + 0.8 * draw),
      dense('selectGrad dWeights', [2, 5, groups * k]),
    ],
    build: ([indices, weights, dWeights]) => [
      selectGrad(indices, weights, dWeights, { groups, k, experts, weights: kind }),
    ],
  })),

  softmax: softmaxShapes.map((shape) => ({
    name: `[${shape.join(', ')}]`,
    inputs: [dense('softmax x', shape, (draw) => 8 * draw - 4)],
    build: ([x]) => [softmax(x)],
  })),

  softmaxGrad: softmaxShapes.map((shape) => ({
    name: `[${shape.join(', ')}]`,
    inputs: [dense('softmaxGrad x', shape, (draw) => 8 * draw - 4), dense('softmaxGrad dy', shape)],
    build: ([x, dy]) => [softmaxGrad(softmax(x), dy)],
  })),
};
