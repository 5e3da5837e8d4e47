/**
 * The tiled matrix product: WGSL in which one workgroup makes one tile of C[m, n] = Σ_k A[m, k]·B[k, n].
 * What A and B are, where results go and over which k the sum runs is the caller's: rows may be
 * gathered, a matrix chosen by a table, the range of k known only at run time. Sums are f32. Which
 * arithmetic is used (f32 registers or the card's matrix units) is the tile's, see tile.ts.
 */
import type { ElementType, Operand } from '../kernel.ts';
import type { DeviceFacts } from '../loadWebgpu.ts';
import { fmaInside } from './fmaInside.ts';
import { matrixInside } from './matrixInside.ts';
import { tileThreads, type Tile } from './tile.ts';

/**
 * One factor. Its two axes are k and "the other one": rows for A, columns for B. Positions on the
 * other axis count from the tile's beginning, 0 … tile.m − 1 (or tile.n − 1); k is the caller's own.
 */
export interface Factor {
  /** The axis along which neighbours lie side by side in memory. */
  readonly along: 'k' | 'other';
  /**
   * Elements that one load gives, side by side along that axis. With 4 or 8, the tile's extent along
   * the axis (`rows` or `columns`, or `kEnd` − `kFirst`) must be a multiple of it; loads begin at
   * multiples of it, counted from 0 or from `kFirst`. 8 is for f16 on matrix units only.
   */
  readonly width: 1 | 4 | 8;
  /**
   * WGSL expression of the elements that begin at (other, k): f32 or f16; vec4 of either; with width 8
   * a vec4<u32> that holds eight f16. It is evaluated only inside the bounds, by some threads only
   * (no barriers), and may use what `before` declares, buffers, and functions of `globals`.
   */
  readonly load: (other: string, k: string) => string;
}

/**
 * A product's parts. `rows`, `columns`, `kFirst` and `kEnd` are WGSL expressions (u32) that must be
 * uniform in the workgroup in the sense of WGSL: made of constants, `_group`, read-only buffers at such
 * places, or by workgroupUniformLoad. They are evaluated once, after `before`. To skip a tile, let
 * `rows` be 0 and `kEnd` equal `kFirst`: an early return is not needed.
 */
export interface Product {
  readonly tile: Tile;
  readonly a: Factor;
  readonly b: Factor;
  /** Rows and columns of the tile that exist; more than the tile has count as all. */
  readonly rows: string;
  readonly columns: string;
  /** The sum runs over kFirst ≤ k < kEnd. Nothing is stored as zero where that is empty: results are 0. */
  readonly kFirst: string;
  readonly kEnd: string;
  /** Declarations outside functions: workgroup variables, functions. */
  readonly globals?: string;
  /**
   * Statements before the product, run by all threads; barriers are allowed. In scope: `_group`
   * (workgroup_id), `_groups` (num_workgroups), `_thread` (0 … {@link tileThreads} − 1). What it
   * declares is in scope of all expressions of the product. Names beginning with _ are taken.
   */
  readonly before?: string;
  readonly store: ResultStore;
}

export interface ResultStore {
  /** How many columns are stored at once; with 4, `columns` must be a multiple of 4. */
  readonly width: 1 | 4;
  /**
   * WGSL statements that store `value` (f32 or vec4<f32>) as the result at (row, column) and the columns
   * after it, counted from the tile's beginning. Run once for every result that exists, by any thread;
   * no barriers. All three are names, so they may be used often.
   */
  readonly write: (row: string, column: string, value: string) => string;
}

/** What an arithmetic contributes to the shader. */
export interface Inside {
  readonly globals: string;
  /** Further parameters of main. */
  readonly parameters: string;
  /** Statements of main, with _rows, _columns, _kFirst, _kEnd and _thread in scope. */
  readonly body: string;
}

/** The shader of a product, without the declarations of its buffers. */
export function tiledProduct(product: Product, facts: DeviceFacts): string {
  const { tile } = product;
  const { globals, parameters, body } =
    tile.kind === 'fma' ? fmaInside(product, tile) : matrixInside(product, tile, facts);
  return `${product.globals ?? ''}
${globals}
@compute @workgroup_size(${tileThreads(tile, facts)})
fn main(
  @builtin(workgroup_id) _group: vec3u,
  @builtin(num_workgroups) _groups: vec3u,
  @builtin(local_invocation_index) _thread: u32,
  ${parameters}
) {
${product.before ?? ''}
  let _rows = min(${tile.m}u, ${product.rows});
  let _columns = min(${tile.n}u, ${product.columns});
  let _kFirst = ${product.kFirst};
  let _kEnd = ${product.kEnd};
${body}
}`;
}

/** A factor in memory, with the operand as the shader must see it. */
export interface StoredFactor {
  readonly operand: Operand;
  readonly factor: Factor;
}

/**
 * A factor whose elements are those of a stored tensor, with the widest loads that are possible.
 * @param name of the buffer in the shader; bind {@link StoredFactor.operand} to it
 * @param multiple a number that divides every index at which a load may begin and the extent along
 *   the axis, if it is divided by 4 (or 8): for a row-major matrix the row length
 * @param index WGSL of the position in the tensor of element (other, k)
 */
export function storedFactor(
  name: string,
  operand: Operand,
  tile: Tile,
  along: 'k' | 'other',
  multiple: number,
  index: (other: string, k: string) => string,
): StoredFactor {
  const width = loadWidth(operand.type, tile, multiple);
  const load = (other: string, k: string) =>
    width === 1 ? `${name}[${index(other, k)}]` : `${name}[(${index(other, k)}) / ${width}u]`;
  const seen: Operand =
    width === 8
      ? { ...operand, type: 'u32', length: Math.ceil(operand.length / 2), vector: 4 }
      : { ...operand, vector: width };
  return { operand: seen, factor: { along, width, load } };
}

function loadWidth(type: ElementType, tile: Tile, multiple: number): 1 | 4 | 8 {
  if (multiple % 8 === 0 && type === 'f16' && tile.kind === 'matrix') return 8;
  return multiple % 4 === 0 ? 4 : 1;
}

/** WGSL that stores four results of one row, for those columns that exist. */
export function storeFour(
  { width, write }: ResultStore,
  row: string,
  column: string,
  value: string,
): string {
  if (width === 4) return `if (${column} < _columns) { ${write(row, column, value)} }`;
  return ['x', 'y', 'z', 'w']
    .map(
      (part, i) =>
        `{ let _column = ${column} + ${i}u; if (_column < _columns) { let _value = ${value}.${part}; ${write(row, '_column', '_value')} } }`,
    )
    .join('\n');
}
