/** The tiles that products choose from, and the choice by shape. */
import { SwitchyardError } from '../../../contract/errors.ts';
import { threads } from '../kernels/grid.ts';
import type { DeviceFacts } from '../loadWebgpu.ts';
import { tileFits, tileThreads, type FmaTile, type MatrixTile, type Tile } from './tile.ts';

const fma = (
  m: number,
  n: number,
  k: number,
  threadRows: 4 | 8,
  threadColumns: 4 | 8,
  prefetch = false,
): FmaTile => ({ kind: 'fma', m, n, k, threadRows, threadColumns, prefetch });

const matrix = (
  m: number,
  n: number,
  k: number,
  subgroupRows: number,
  subgroupColumns: number,
  prefetch = false,
): MatrixTile => ({ kind: 'matrix', m, n, k, subgroupRows, subgroupColumns, prefetch });

/** A tile and how fast it is. */
export interface TileChoice {
  readonly name: string;
  readonly tile: Tile;
  /** Multiply-adds a second of a full GPU, in units of 10¹², on an H100: only the ratios matter. */
  readonly rate: number;
}

/** All tiles, for measurements too. Those that a device cannot run are passed over. */
export const tileChoices: readonly TileChoice[] = [
  { name: 'fma 128×128', tile: fma(128, 128, 16, 8, 8), rate: 13 },
  { name: 'fma 128×64', tile: fma(128, 64, 16, 8, 4), rate: 11 },
  { name: 'fma 64×128', tile: fma(64, 128, 16, 4, 8), rate: 11 },
  { name: 'fma 64×64', tile: fma(64, 64, 16, 4, 4), rate: 8 },
  { name: 'fma 64×16', tile: fma(64, 16, 32, 4, 4), rate: 5 },
  { name: 'fma 16×64', tile: fma(16, 64, 32, 4, 4), rate: 5 },
  { name: 'fma 16×16', tile: fma(16, 16, 32, 4, 4), rate: 2 },
  { name: 'matrix 128×128', tile: matrix(128, 128, 32, 64, 32), rate: 100 },
  { name: 'matrix 128×64', tile: matrix(128, 64, 32, 64, 32), rate: 90 },
  { name: 'matrix 64×128', tile: matrix(64, 128, 32, 32, 64), rate: 90 },
  { name: 'matrix 64×64', tile: matrix(64, 64, 32, 32, 32), rate: 60 },
  { name: 'matrix 64×16', tile: matrix(64, 16, 32, 16, 16), rate: 20 },
  { name: 'matrix 16×64', tile: matrix(16, 64, 32, 16, 16), rate: 20 },
  { name: 'matrix 16×16', tile: matrix(16, 16, 32, 16, 16), rate: 6 },
];

/** Tiles beside the usual ones, only to be measured. */
export const tileVariants: readonly TileChoice[] = [
  { name: 'fma 128×128, prefetch', tile: fma(128, 128, 16, 8, 8, true), rate: 13 },
  { name: 'fma 64×64, 8×8', tile: fma(64, 64, 16, 8, 8), rate: 8 },
  { name: 'fma 64×64, prefetch', tile: fma(64, 64, 16, 4, 4, true), rate: 8 },
  { name: 'fma 64×64, k 32', tile: fma(64, 64, 32, 4, 4), rate: 8 },
  { name: 'fma 128×128, k 32', tile: fma(128, 128, 32, 8, 8), rate: 13 },
  { name: 'matrix 128×128, 64×64', tile: matrix(128, 128, 32, 64, 64), rate: 100 },
  { name: 'matrix 128×128, 32×64', tile: matrix(128, 128, 32, 32, 64), rate: 100 },
  { name: 'matrix 128×128, prefetch', tile: matrix(128, 128, 32, 64, 32, true), rate: 100 },
  { name: 'matrix 64×128, 64×32', tile: matrix(64, 128, 32, 64, 32), rate: 90 },
  { name: 'matrix 256×128', tile: matrix(256, 128, 32, 64, 64), rate: 100 },
];

/** How a product is divided among workgroups. */
export interface Division {
  readonly tile: Tile;
  /** Ranges of k, each with sums of its own that are added up afterwards. */
  readonly splits: number;
}

export interface ProductShape {
  readonly m: number;
  readonly n: number;
  /** Steps of the sum; where only known at run time, about as many as there will be. */
  readonly k: number;
  /** Products of this shape at once, such as experts. */
  readonly batch?: number;
}

/** Processors of a large GPU (an H100), each with this many threads at once. */
const processors = 132;
const residentThreads = 768;
/** Seconds between asking for a step's factors and having them in workgroup memory. */
const stepLatency = 0.8e-6;
/** Bytes a second that partial sums are written and read with. */
const bandwidth = 1.5e12;
/** Seconds that the dispatch which adds them up takes at least. */
const dispatchCost = 5e-6;
const mostSplits = 256;
/** Bytes that partial sums may take. */
const mostPartialBytes = 2 ** 26;
/** Steps of k below which a range is not worth its workgroup. */
const leastSteps = 128;

/**
 * The tile and number of ranges with the shortest estimated time.
 * @param mostRanges 1 where the sum may not be split
 */
export function chooseDivision(
  shape: ProductShape,
  facts: DeviceFacts,
  mostRanges = mostSplits,
): Division {
  const kind = facts.matrixUnit === undefined ? 'fma' : 'matrix';
  const usable = tileChoices.filter(({ tile }) => tileFits(tile, facts));
  const preferred = usable.filter(({ tile }) => tile.kind === kind);
  const divisions = (preferred.length > 0 ? preferred : usable).map((choice) =>
    divide(choice, shape, facts, mostRanges),
  );
  if (divisions.length === 0)
    throw new SwitchyardError(
      'unsupported',
      `Matrix products need ${threads} threads and 16 KiB of memory a workgroup; this GPU has ${facts.invocations} threads and ${facts.workgroupBytes} bytes.`,
    );
  return divisions.reduce((best, other) => (other.seconds < best.seconds ? other : best));
}

/** The number of ranges with the shortest estimated time for a tile. */
export function divide(
  choice: TileChoice,
  shape: ProductShape,
  facts: DeviceFacts,
  mostRanges = mostSplits,
): Division & { readonly seconds: number } {
  const { m, n, k, batch = 1 } = shape;
  let best = { tile: choice.tile, splits: 1, seconds: estimate(choice, shape, facts, 1) };
  for (let splits = 2; splits <= mostRanges; splits *= 2) {
    if (k / splits < leastSteps || 4 * splits * batch * m * n > mostPartialBytes) break;
    const seconds = estimate(choice, shape, facts, splits);
    if (seconds < best.seconds) best = { ...best, splits, seconds };
  }
  return best;
}

/**
 * Seconds on the GPU of the constants above. Each of its processors holds some workgroups at once: a
 * step of k takes them their arithmetic, one after the other, and a lone one also waits for memory.
 */
function estimate(
  { tile, rate }: TileChoice,
  { m, n, k, batch = 1 }: ProductShape,
  facts: DeviceFacts,
  splits: number,
): number {
  const workgroups = batch * Math.ceil(m / tile.m) * Math.ceil(n / tile.n) * splits;
  const room = Math.max(1, Math.min(16, Math.floor(residentThreads / tileThreads(tile, facts))));
  const held = Math.min(room, Math.ceil(workgroups / processors));
  const turns = Math.max(1, workgroups / processors / held);
  const arithmetic = (tile.m * tile.n * tile.k) / ((rate * 1e12) / processors);
  const step = Math.max(stepLatency + arithmetic, held * arithmetic);
  const adding = splits === 1 ? 0 : dispatchCost + (8 * splits * batch * m * n) / bandwidth;
  return turns * Math.ceil(k / splits / tile.k) * step + adding;
}
