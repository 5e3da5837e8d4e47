/** How a workgroup makes its tile of a product: the choices, and what each of them asks of a device. */
import type { DeviceFacts } from '../loadWebgpu.ts';

/** A tile whose threads multiply in f32 registers, `threadRows` × `threadColumns` results each. */
export interface FmaTile {
  readonly kind: 'fma';
  /** Rows and columns of the result, multiples of 16. */
  readonly m: number;
  readonly n: number;
  /** Steps of the contraction that lie in workgroup memory at once: 16 or 32. */
  readonly k: number;
  readonly threadRows: 4 | 8;
  readonly threadColumns: 4 | 8;
  /** Read the operands of the next step into registers during this one. */
  readonly prefetch: boolean;
}

/** A tile whose subgroups multiply on the card's matrix units, `subgroupRows` × `subgroupColumns` each. */
export interface MatrixTile {
  readonly kind: 'matrix';
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly subgroupRows: number;
  readonly subgroupColumns: number;
  readonly prefetch: boolean;
}

export type Tile = FmaTile | MatrixTile;

/** Threads of a workgroup. */
export function tileThreads(tile: Tile, facts: DeviceFacts): number {
  return tile.kind === 'fma'
    ? (tile.m * tile.n) / (tile.threadRows * tile.threadColumns)
    : subgroupsOf(tile) * (facts.subgroup ?? NaN);
}

/** Subgroups of a workgroup. */
export function subgroupsOf({ m, n, subgroupRows, subgroupColumns }: MatrixTile): number {
  return (m / subgroupRows) * (n / subgroupColumns);
}

/** f16 elements that each row in workgroup memory is longer, so that rows begin in different banks. */
export const matrixPadding = 8;
/** The same for the f32 results of a subgroup. */
export const resultPadding = 8;

/** Bytes of workgroup memory; operands may lie either way round, so the larger way counts. */
export function tileBytes(tile: Tile, facts: DeviceFacts): number {
  const { m, n, k } = tile;
  if (tile.kind === 'fma') return 4 * k * (m + n);
  // Each with a row to spare, see matrixInside.ts.
  const staged = (other: number) =>
    2 * Math.max((other + 1) * (k + matrixPadding), (k + 1) * (other + matrixPadding));
  const resultRows = subgroupsOf(tile) * (facts.matrixUnit?.m ?? NaN) + 1;
  const results = 4 * resultRows * (tile.subgroupColumns + resultPadding);
  return staged(m) + staged(n) + results;
}

/** Whether a device can run a tile. */
export function tileFits(tile: Tile, facts: DeviceFacts): boolean {
  if (tile.kind === 'matrix') {
    const { matrixUnit, subgroup } = facts;
    if (matrixUnit === undefined || subgroup === undefined) return false;
    const fits =
      tile.subgroupRows % matrixUnit.m === 0 &&
      tile.subgroupColumns % matrixUnit.n === 0 &&
      tile.k % matrixUnit.k === 0;
    if (!fits) return false;
  }
  return (
    tileThreads(tile, facts) <= facts.invocations && tileBytes(tile, facts) <= facts.workgroupBytes
  );
}
