/** Dense matrix products. */
import { sizeOf } from '../../../graph/graph.ts';
import type { Dispatch, Kernels, Operand, Setup } from '../kernel.ts';
import { chooseDivision, type Division } from '../products/tiles.ts';
import { storedFactor, tiledProduct } from '../products/tiledProduct.ts';
import { wgslType } from '../shader.ts';
import { floats, grid, threads } from './grid.ts';

/** A dense product C[m, n] = Σ_k A[m, k]·B[k, n] (+ bias[n], relu), all in memory. */
export interface DenseProduct {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** [M, K], or [K, M] with transposeA. */
  readonly a: Operand;
  /** [K, N], or [N, K] with transposeB. */
  readonly b: Operand;
  readonly bias: Operand | undefined;
  /** [M, N] */
  readonly c: Operand;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly relu: boolean;
}

/** The dispatches of a product: one, or with the sum over k in several ranges a second that adds them up. */
export function denseProduct(
  product: DenseProduct,
  { facts, scratch }: Pick<Setup, 'facts' | 'scratch'>,
  division: Division = chooseDivision(product, facts),
): readonly Dispatch[] {
  const { m, n, k, transposeA, transposeB } = product;
  const { tile } = division;
  const a = storedFactor(
    'a',
    product.a,
    tile,
    transposeA ? 'other' : 'k',
    transposeA ? m : k,
    (row, k_) =>
      transposeA ? `${k_} * ${m}u + (tileRow + ${row})` : `(tileRow + ${row}) * ${k}u + ${k_}`,
  );
  const b = storedFactor(
    'b',
    product.b,
    tile,
    transposeB ? 'k' : 'other',
    transposeB ? k : n,
    (column, k_) =>
      transposeB
        ? `(tileColumn + ${column}) * ${k}u + ${k_}`
        : `${k_} * ${n}u + tileColumn + ${column}`,
  );
  const steps = Math.ceil(k / division.splits / tile.k) * tile.k;
  const splits = Math.ceil(k / steps);
  const isSplit = splits > 1;
  const width = n % 4 === 0 ? 4 : 1;
  const tiles = { down: Math.ceil(m / tile.m), across: Math.ceil(n / tile.n) };
  const [x, y] = grid(tiles.down * tiles.across);
  const c: Operand = { ...(isSplit ? scratch('f32', splits * m * n) : product.c), vector: width };
  const end = isSplit ? { bias: undefined, relu: false } : product;
  const bias: Operand | undefined = end.bias && { ...end.bias, vector: width };
  const code = tiledProduct(
    {
      tile,
      a: a.factor,
      b: b.factor,
      before: `  let tileIndex = _group.y * _groups.x + _group.x;
  let tileRow = tileIndex / ${tiles.across}u * ${tile.m}u;
  let tileColumn = tileIndex % ${tiles.across}u * ${tile.n}u;`,
      // The grid may have a few workgroups too many.
      rows: `${m}u - min(${m}u, tileRow)`,
      columns: `${n}u - tileColumn`,
      kFirst: `_group.z * ${steps}u`,
      kEnd: `min(${k}u, (_group.z + 1u) * ${steps}u)`,
      store: {
        width,
        write: (row, column, value) =>
          `let _y = ${withEnd(value, width, `(tileColumn + ${column}) / ${width}u`, end)};
    c[(${isSplit ? `_group.z * ${m * n}u + ` : ''}(tileRow + ${row}) * ${n}u + tileColumn + ${column}) / ${width}u] = ${wgslType(c)}(_y);`,
      },
    },
    facts,
  );
  const first: Dispatch = {
    kernel: `matmul ${transposeA ? 't' : 'n'}${transposeB ? 't' : 'n'}`,
    reads: { a: a.operand, b: b.operand, ...(bias === undefined ? {} : { bias }) },
    writes: { c },
    code,
    workgroups: [x, y, splits],
  };
  return isSplit ? [first, addRanges(product, c, splits, width)] : [first];
}

/** WGSL of a result with the bias and the activation. */
function withEnd(
  value: string,
  width: 1 | 4,
  place: string,
  { bias, relu }: Pick<DenseProduct, 'bias' | 'relu'>,
): string {
  const type = floats(width);
  const sum = bias === undefined ? value : `${value} + ${type}(bias[${place}])`;
  return relu ? `max(${type}(), ${sum})` : sum;
}

/** Threads that share the ranges of one result, where there are many ranges. */
const lanes = 8;

/**
 * partial [splits, M, N] → C [M, N]. Each lane of a result adds every eighth range, then the lanes'
 * sums are added, always in the same order.
 */
function addRanges(
  product: DenseProduct,
  partial: Operand,
  splits: number,
  width: 1 | 4,
): Dispatch {
  const { m, n, relu } = product;
  const c: Operand = { ...product.c, vector: width };
  const bias: Operand | undefined = product.bias && { ...product.bias, vector: width };
  const count = (m * n) / width;
  const across = splits >= 2 * lanes ? lanes : 1;
  const perGroup = threads / across;
  const type = floats(width);
  const others = Array.from(
    { length: across - 1 },
    (_, i) => ` + sums[_at + ${(i + 1) * perGroup}u]`,
  );
  return {
    kernel: 'matmul, adding up',
    reads: { partial, ...(bias === undefined ? {} : { bias }) },
    writes: { c },
    code: `var<workgroup> sums: array<${type}, ${threads}>; // [lane, result]
@compute @workgroup_size(${threads})
fn main(
  @builtin(workgroup_id) _group: vec3u,
  @builtin(num_workgroups) _groups: vec3u,
  @builtin(local_invocation_index) _thread: u32,
) {
  let _at = _thread % ${perGroup}u;
  let i = (_group.y * _groups.x + _group.x) * ${perGroup}u + _at;
  var sum = ${type}();
  if (i < ${count}u) {
    for (var split = _thread / ${perGroup}u; split < ${splits}u; split += ${across}u) {
      sum += partial[split * ${count}u + i];
    }
  }
  sums[_thread] = sum;
  workgroupBarrier();
  if (_thread < ${perGroup}u && i < ${count}u) {
    let total = sum${others.join('')};
    c[i] = ${wgslType(c)}(${withEnd('total', width, `i % ${n / width}u`, { bias, relu })});
  }
}`,
    workgroups: grid(Math.ceil(count / perGroup)),
  };
}

export const productKernels = {
  matmul: ({ inputs, outputs, attributes: { transposeA, transposeB, activation } }, setup) => {
    const [a, b] = inputs;
    const bias = inputs.at(2);
    const n = outputs[0].shape.at(-1) ?? 1;
    const m = sizeOf(outputs[0].shape) / n;
    return denseProduct(
      {
        m,
        n,
        k: sizeOf(a.shape) / m,
        a: setup.operand(a),
        b: setup.operand(b),
        bias: bias && setup.operand(bias),
        c: setup.operand(outputs[0]),
        transposeA,
        transposeB,
        relu: activation === 'relu',
      },
      setup,
    );
  },
} satisfies Partial<Kernels>;
