/**
 * How our parameters map onto those of the paper authors' PyTorch modules. Their linear layers store
 * [out, in], ours [in, out]; expert matrices are the same in both.
 */
import { SwitchyardError } from '../contract/errors.ts';
import { sizeOf } from '../graph/graph.ts';

/** Where our values lie in theirs. */
type Layout =
  | { readonly kind: 'same' }
  | { readonly kind: 'transposed' }
  /** Transposed, and their rows are [blocks, parts, ours / blocks]: ours is one of the parts. */
  | {
      readonly kind: 'rows';
      readonly part: number;
      readonly parts: number;
      readonly blocks: number;
    }
  /** Not transposed, and ours are some of their columns. */
  | { readonly kind: 'columns'; readonly part: number; readonly parts: number };

export interface AuthorsTensor {
  readonly name: string;
  readonly layout: Layout;
}

/** Their modules differ in names. Which one it is follows from the names that are there. */
const attentionModules = [
  { name: 'SwitchHead', marker: /^(projections|selections)\./u, tensors: switchHeadTensors },
  { name: 'SwitchHead, on its own', marker: /^(sel_[vo]|[vo])$/u, tensors: ownModuleTensors },
  { name: 'MoA', marker: /^(sel_dst|data_to_q|data_to_kv|out_proj)$/u, tensors: moaTensors },
  { name: 'Transformer-XL', marker: /^(pos_to_pq|multi_head_merge)\./u, tensors: denseXlTensors },
  { name: 'dense', marker: /^/u, tensors: denseTensors },
] as const;

type Tensors = Readonly<Record<string, readonly AuthorsTensor[]>>;

const same = (name: string): AuthorsTensor => ({ name, layout: { kind: 'same' } });
const linear = (name: string): AuthorsTensor => ({ name, layout: { kind: 'transposed' } });
/** Keys and values in one linear layer, block by block. */
const stacked = (part: number, blocks: number): AuthorsTensor => ({
  name: 'data_to_kv.weight',
  layout: { kind: 'rows', part, parts: 2, blocks },
});
/** Expert matrices are stored as ours, dense projections as linear layers. */
const either = (name: string, rank: number): AuthorsTensor =>
  rank === 3 ? same(name) : linear(name);

function denseRopeTensors(): Tensors {
  return {
    q: [linear('data_to_q.weight')],
    k: [stacked(0, 1)],
    v: [stacked(1, 1)],
    o: [linear('out_proj.weight')],
  };
}

function denseXlTensors(heads: number): Tensors {
  return {
    q: [linear('data_to_q.weight')],
    k: [stacked(0, heads)],
    v: [stacked(1, heads)],
    o: [linear('multi_head_merge.weight')],
    position: [linear('pos_to_pq.weight')],
    contentBias: [same('global_content_bias')],
    positionBias: [same('global_pos_bias')],
    scale: [same('scale')],
  };
}

/** Where nothing speaks of Transformer-XL: what only it has is then what is missing. */
function denseTensors(heads: number): Tensors {
  return { ...denseXlTensors(heads), ...denseRopeTensors() };
}

function switchHeadTensors(_heads: number, rank: number): Tensors {
  return {
    q: [either('projections.q', rank)],
    k: [either('projections.k', rank)],
    v: [either('projections.v', rank)],
    o: [either('projections.o', rank)],
    selectV: [linear('selections.v'), linear('selections.k')],
    selectO: [linear('selections.o'), linear('selections.q')],
    position: [linear('pos_to_pk')],
  };
}

/** The public module with dense q and k alone. */
function ownModuleTensors(): Tensors {
  return {
    q: [linear('q.weight')],
    k: [linear('k.weight')],
    v: [same('v')],
    o: [same('o')],
    selectV: [linear('sel_v')],
    selectO: [linear('sel_o')],
    position: [linear('pos_to_pk')],
  };
}

function moaTensors(): Tensors {
  const columns = (part: number): AuthorsTensor => ({
    name: 'data_to_kv',
    layout: { kind: 'columns', part, parts: 2 },
  });
  return {
    q: [same('data_to_q')],
    k: [columns(0)],
    v: [columns(1)],
    o: [same('out_proj')],
    select: [linear('sel_dst')],
    position: [linear('pos_to_pk')],
    scale: [same('scale')],
  };
}

/** What is not attention, by our name within a layer, for the two prefixes of theirs. */
const feedForwardTensors = (prefix: string): Tensors => ({
  'up.weight': [linear('linear1.weight')],
  'up.bias': [same('linear1.bias')],
  'down.weight': [linear('linear2.weight')],
  'down.bias': [same('linear2.bias')],
  select: [linear(`${prefix}expert_sel`)],
  keys: [same(`${prefix}keys`)],
  values: [same(`${prefix}values`)],
});

const normTensors: Tensors = {
  'norm1.gain': [same('norm1.weight')],
  'norm1.bias': [same('norm1.bias')],
  'norm2.gain': [same('norm2.weight')],
  'norm2.bias': [same('norm2.bias')],
};

const modelTensors: Tensors = {
  embedding: [same('embedding.weight')],
  'norm.gain': [same('out_norm.weight')],
  'norm.bias': [same('out_norm.bias')],
  'output.weight': [linear('output.weight')],
  'output.bias': [same('output.bias')],
};

/** One of our parameters, and whether attention or feed-forward stands on its own or in a model. */
interface OurTensor {
  /** For example `layers.0.attention.q`; of a module on its own `attention.q`. */
  readonly name: string;
  readonly shape: readonly number[];
}

/**
 * Finds the authors' tensor for one of our parameters.
 * @param heads H
 * @param available their names
 * @throws SwitchyardError('invalid-data') naming the tensor that is missing
 */
export function toAuthors(
  { name, shape }: OurTensor,
  heads: number,
  available: readonly string[],
): AuthorsTensor {
  const candidates = candidatesOf(name, shape.length, heads, available);
  const found = candidates.find((candidate) => available.includes(candidate.name));
  if (found !== undefined) return found;
  const expected = candidates.map((candidate) => `"${candidate.name}"`).join(' or ');
  throw new SwitchyardError(
    'invalid-data',
    `The tensor for ${name} is missing: expected ${expected}.`,
  );
}

function candidatesOf(
  ours: string,
  rank: number,
  heads: number,
  available: readonly string[],
): readonly AuthorsTensor[] {
  const [, layer, part, role] =
    /^(?:layers\.(\d+)\.)?(attention|feedForward|norm[12])\.(.+)$/u.exec(ours) ?? [];
  if ((part as string | undefined) === undefined) return modelTensors[ours];
  const inModel = (layer as string | undefined) !== undefined;
  const prefix = inModel ? `unique_layers.${layer}.` : '';
  const below = (inner: string, tensors: readonly AuthorsTensor[]): AuthorsTensor[] =>
    tensors.map((tensor) => ({ ...tensor, name: prefix + inner + tensor.name }));
  if (part === 'attention') {
    const inner = inModel ? 'self_attn.' : '';
    const names = available
      .filter((name) => name.startsWith(prefix + inner))
      .map((name) => name.slice((prefix + inner).length));
    const module = attentionModules.find(({ marker }) => names.some((name) => marker.test(name)));
    return below(inner, (module ?? attentionModules[4]).tensors(heads, rank)[role]);
  }
  if (part === 'feedForward') return below('', feedForwardTensors(inModel ? 'pkm.' : '')[role]);
  return below('', normTensors[`${part}.${role}`]);
}

/**
 * Brings the authors' values into our layout.
 * @param shape of our parameter
 * @throws SwitchyardError('invalid-data') when the sizes do not fit
 */
export function fromAuthors(
  { name, layout }: AuthorsTensor,
  shape: readonly number[],
  values: Float32Array,
): Float32Array {
  const size = sizeOf(shape);
  const needed = size * ('parts' in layout ? layout.parts : 1);
  if (values.length !== needed)
    throw new SwitchyardError(
      'invalid-data',
      `The tensor "${name}" has ${values.length} values where ${needed} are needed for [${shape.join(', ')}].`,
    );
  if (layout.kind === 'same') return Float32Array.from(values);
  const place = placeIn(layout, shape);
  const columns = shape[1];
  return Float32Array.from(
    { length: size },
    (_, i) => values[place(Math.floor(i / columns), i % columns)],
  );
}

/** Where element (row, column) of our matrix lies in theirs. */
function placeIn(
  layout: Exclude<Layout, { kind: 'same' }>,
  [rows, columns]: readonly number[],
): (row: number, column: number) => number {
  if (layout.kind === 'transposed') return (row, column) => column * rows + row;
  const { part, parts } = layout;
  if (layout.kind === 'columns') return (row, column) => (row * parts + part) * columns + column;
  const block = columns / layout.blocks;
  return (row, column) =>
    ((Math.floor(column / block) * parts + part) * block + (column % block)) * rows + row;
}
