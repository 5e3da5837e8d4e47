/**
 * How our parameters map onto those of the paper authors' PyTorch modules. Their linear layers store
 * [out, in], ours [in, out]; expert matrices are the same in both.
 */
import { SwitchyardError } from '../contract/errors.ts';
import { sizeOf } from '../graph/graph.ts';

export interface AuthorsName {
  /** Their tensor. */
  readonly name: string;
  /** Theirs is the transpose of ours. */
  readonly transposed: boolean;
  /** For a tensor that stacks several of ours along its first axis: which part this is, and of how many. */
  readonly part?: { readonly index: number; readonly count: number };
}

/** Their possible names for the last components of ours; a layer alone and a whole model name differently. */
const layerNames: Readonly<Record<string, readonly AuthorsName[]>> = {
  'norm1.gain': [plain('norm1.weight')],
  'norm1.bias': [plain('norm1.bias')],
  'norm2.gain': [plain('norm2.weight')],
  'norm2.bias': [plain('norm2.bias')],
  'attention.q': [
    linear('self_attn.data_to_q.weight'),
    linear('self_attn.projections.q'),
    linear('q.weight'),
  ],
  'attention.k': [
    stacked('self_attn.data_to_kv.weight', 0, 2),
    linear('self_attn.projections.k'),
    linear('k.weight'),
  ],
  'attention.v': [
    stacked('self_attn.data_to_kv.weight', 1, 2),
    plain('self_attn.projections.v'),
    plain('v'),
  ],
  'attention.o': [
    linear('self_attn.out_proj.weight'),
    plain('self_attn.projections.o'),
    plain('o'),
  ],
  'attention.selectV': [linear('self_attn.selections.v'), linear('sel_v')],
  'attention.selectO': [linear('self_attn.selections.o'), linear('sel_o')],
  'feedForward.up.weight': [linear('linear1.weight')],
  'feedForward.up.bias': [plain('linear1.bias')],
  'feedForward.down.weight': [linear('linear2.weight')],
  'feedForward.down.bias': [plain('linear2.bias')],
  'feedForward.select': [linear('pkm.expert_sel'), linear('expert_sel')],
  'feedForward.keys': [plain('pkm.keys'), plain('keys')],
  'feedForward.values': [plain('pkm.values'), plain('values')],
};

const modelNames: Readonly<Record<string, AuthorsName>> = {
  embedding: plain('embedding.weight'),
  'norm.gain': plain('out_norm.weight'),
  'norm.bias': plain('out_norm.bias'),
  'output.weight': linear('output.weight'),
  'output.bias': plain('output.bias'),
};

function plain(name: string): AuthorsName {
  return { name, transposed: false };
}
function linear(name: string): AuthorsName {
  return { name, transposed: true };
}
function stacked(name: string, index: number, count: number): AuthorsName {
  return { name, transposed: true, part: { index, count } };
}

/**
 * Finds the authors' tensor for one of our parameters.
 * @param ours for example `layers.0.attention.q`, or `layer.q` for a module on its own
 * @param available their names
 * @throws SwitchyardError('invalid-data') naming the tensor that is missing
 */
export function toAuthors(ours: string, available: readonly string[]): AuthorsName {
  const inModel = /^layers\.(\d+)\.(.+)$/u.exec(ours);
  const inModule = /^layer\.(.+)$/u.exec(ours);
  let candidates: readonly AuthorsName[];
  if (inModel !== null) {
    const prefix = `unique_layers.${inModel[1]}.`;
    candidates = layerNames[inModel[2]].map((theirs) => ({
      ...theirs,
      name: prefix + theirs.name,
    }));
  } else if (inModule !== null) {
    candidates = ['attention', 'feedForward'].flatMap(
      (part) => layerNames[`${part}.${inModule[1]}`] ?? [],
    );
  } else {
    candidates = [modelNames[ours]];
  }
  const found = candidates.find(({ name }) => available.includes(name));
  if (found !== undefined) return found;
  const expected = candidates.map(({ name }) => `"${name}"`).join(' or ');
  throw new SwitchyardError(
    'invalid-data',
    `The tensor for ${ours} is missing: expected ${expected}.`,
  );
}

/**
 * Brings the authors' values into our layout.
 * @param shape of our parameter
 * @throws SwitchyardError('invalid-data') when the sizes do not fit
 */
export function fromAuthors(
  { name, transposed, part }: AuthorsName,
  shape: readonly number[],
  values: Float32Array,
): Float32Array {
  const { index, count } = part ?? { index: 0, count: 1 };
  const size = sizeOf(shape);
  if (values.length !== size * count)
    throw new SwitchyardError(
      'invalid-data',
      `The tensor "${name}" has ${values.length} values where ${size * count} are needed for [${shape.join(', ')}].`,
    );
  const own = values.subarray(index * size, (index + 1) * size);
  if (!transposed) return Float32Array.from(own);
  const [rows, columns] = shape;
  return Float32Array.from(
    { length: size },
    (_, i) => own[(i % columns) * rows + Math.floor(i / columns)],
  );
}
