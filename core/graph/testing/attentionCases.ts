/**
 * Cases of attention and its gradient: each optional input alone and all together, sources as many
 * as queries, two and three times as many or neither, masks that hide memory and padding, and the
 * corners of T, H, P and shared keys; each causal and not, with both ways of saving.
 */
import type { Tensor } from '../graph.ts';
import {
  attention,
  namedInputs,
  type AttentionAttributes,
  type OptionalInput,
} from '../ops/attention.ts';
import { attentionGrad } from '../ops/attentionGrad.ts';
import { dense, positive, type CaseInput, type OpCase } from './caseInputs.ts';

interface AttentionCase {
  readonly batch: number;
  readonly length: number;
  readonly source: number;
  readonly heads: number;
  readonly width: number;
  readonly valueWidth: number;
  /** As many as heads unless it is said. */
  readonly keyHeads?: 1;
  /** The first source that may be seen and one past the last, for each sequence. */
  readonly visible?: readonly (readonly [number, number])[];
  readonly positions?: true;
  readonly contentBias?: true;
  readonly positionBias?: true;
  readonly scale?: true;
}

const square = { batch: 2, length: 7, source: 7, heads: 2, width: 4, valueWidth: 4 };
const odd = { batch: 2, length: 5, source: 13, heads: 3, width: 5, valueWidth: 2 };
const twice = { batch: 2, length: 4, source: 8, heads: 2, width: 3, valueWidth: 3 };
const thrice = { batch: 2, length: 3, source: 9, heads: 2, width: 3, valueWidth: 2 };
const oneHead = { batch: 1, length: 13, source: 13, heads: 1, width: 6, valueWidth: 8 };
const oneQuery = { batch: 3, length: 1, source: 4, heads: 2, width: 3, valueWidth: 3 };
const all = { positions: true, contentBias: true, positionBias: true, scale: true } as const;

const attentionTable: Readonly<Record<string, AttentionCase>> = {
  square,
  'longer source': odd,
  'one head': oneHead,
  'one query': oneQuery,
  'one key head': { ...odd, keyHeads: 1 },
  'learned scale': { ...square, scale: true },
  'all visible': { ...square, visible: [[0, 7], [0, 7]] }, // prettier-ignore
  'hidden padding': { ...square, visible: [[0, 3], [0, 7]] }, // prettier-ignore
  'hidden memory': { ...twice, visible: [[4, 8], [1, 8]] }, // prettier-ignore
  'hidden memory and padding, one key head': { ...odd, keyHeads: 1, visible: [[3, 9], [8, 13]] }, // prettier-ignore
  positions: { ...square, positions: true },
  'positions, longer source': { ...odd, positions: true },
  'positions, one query': { ...oneQuery, positions: true },
  'content bias': { ...twice, positions: true, contentBias: true },
  'position bias': { ...twice, positions: true, positionBias: true },
  'all, square': { ...square, ...all, visible: [[0, 2], [0, 7]] }, // prettier-ignore
  'all, S = 2T': { ...twice, ...all, visible: [[4, 8], [0, 8]] }, // prettier-ignore
  'all, S = 3T, one key head': { ...thrice, ...all, keyHeads: 1, visible: [[0, 9], [6, 8]] }, // prettier-ignore
  'all, longer source': { ...odd, ...all, visible: [[2, 12], [8, 13]] }, // prettier-ignore
  'all, one head': { ...oneHead, ...all, visible: [[0, 11]] },
  'all, one query': { ...oneQuery, ...all, visible: [[3, 4], [0, 4], [1, 3]] }, // prettier-ignore
  'all, one query and one key head': {
    ...oneQuery,
    ...all,
    keyHeads: 1,
    visible: [[0, 1], [0, 4], [2, 4]], // prettier-ignore
  },
};

/** All rows of the table, causal or not, both ways of saving. */
function casesOf(
  make: (name: string, c: AttentionCase, attributes: Attributes) => OpCase,
): readonly OpCase[] {
  return Object.entries(attentionTable).flatMap(([name, c]) =>
    [true, false].flatMap((causal) =>
      (['lse', 'probabilities'] as const).map((save) =>
        make(`${name}, ${causal ? 'causal' : 'full'}, saves ${save}`, c, {
          heads: c.heads,
          keyHeads: c.keyHeads ?? c.heads,
          causal,
          scale: 1 / Math.sqrt(c.width),
          save,
        }),
      ),
    ),
  );
}

type Attributes = Omit<AttentionAttributes, 'given'>;

/** The inputs that a case has, by name. */
function inputsOf(
  seed: string,
  c: AttentionCase,
  { keyHeads, causal }: Attributes,
): Record<string, CaseInput> {
  const { batch, length, source, heads, width, valueWidth, visible } = c;
  const signed = (draw: number) => 4 * draw - 2;
  const count = causal ? source : source + length - 1;
  const bias = (name: string) => dense(`${seed} ${name}`, [heads * width]);
  return {
    q: dense(`${seed} q`, [batch, length, heads * width], signed),
    k: dense(`${seed} k`, [batch, source, keyHeads * width], signed),
    v: dense(`${seed} v`, [batch, source, keyHeads * valueWidth]),
    ...(visible && {
      visible: { shape: [batch, 2], dtype: 'i32', values: Int32Array.from(visible.flat()) },
    }),
    ...(c.positions && {
      positions: dense(`${seed} positions`, [count, keyHeads * width], signed),
    }),
    ...(c.contentBias && { contentBias: bias('content bias') }),
    ...(c.positionBias && { positionBias: bias('position bias') }),
    ...(c.scale && { scale: positive(`${seed} scale`, [1]) }),
  };
}

/** The tensors of a case's inputs by the names of {@link inputsOf}. */
const named = (inputs: Record<string, CaseInput>, tensors: readonly Tensor[]) =>
  namedInputs(tensors, { given: Object.keys(inputs).slice(3) as OptionalInput[] });

export const attentionCases = casesOf((name, c, attributes) => {
  const inputs = inputsOf(`attention ${name}`, c, attributes);
  return {
    name,
    inputs: Object.values(inputs),
    build: (tensors) => attention(named(inputs, tensors), attributes),
  };
});

export const attentionGradCases = casesOf((name, c, attributes) => {
  const inputs = inputsOf(`attentionGrad ${name}`, c, attributes);
  const { batch, length, heads, valueWidth } = c;
  const dy = dense(`attentionGrad ${name} dy`, [batch, length, heads * valueWidth]);
  return {
    name,
    inputs: [dy, ...Object.values(inputs)],
    build: ([dyTensor, ...tensors]) => {
      const given = named(inputs, tensors);
      const [y, saved] = attention(given, attributes);
      return attentionGrad(given, y, saved, dyTensor, attributes);
    },
  };
});
