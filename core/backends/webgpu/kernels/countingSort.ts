/**
 * Sorts items by small whole numbers, stably: items of equal key keep their order, so the result is
 * one and the same on every GPU. A counting sort with one digit for up to 256 keys (three dispatches),
 * and with more a radix sort from the lowest digit on (three for each of its digits, one more for the
 * starts).
 *
 * A digit is sorted in blocks of items: every block counts its digits; the counts of a digit are summed
 * over the blocks before; then every block puts its items into their places, tile by tile. An item's
 * rank in its tile is the number of set bits before its own in a set of the tile's items of that digit.
 */
import type { Dispatch, ElementType, Operand, Ranges } from '../kernel.ts';
import { perThread, threadGrid, threads } from './grid.ts';

/** The keys of M items, as the sort's kernels compute them. */
export interface SortKeys {
  /** Number of items, M. */
  readonly items: number;
  /** Keys are in [0, K); a larger one counts as K − 1. */
  readonly keys: number;
  /** WGSL: the key of item `i` (a u32 in [0, M)) as a u32, in terms of `i` and the names in `reads`. */
  readonly key: string;
  /** Ranges that `key` reads. Their names must not begin with "sort". */
  readonly reads: Readonly<Record<string, Operand>>;
}

/**
 * Memory of a sort; `order` and `starts` are its result.
 * - order [M] u32: the items by their keys, equal ones in ascending order
 * - starts [K + 1] u32: where each key's items begin in `order`; starts[K] = M
 */
export type SortRange = 'order' | 'starts' | 'counts' | 'totals' | 'other';

/** Most values of a digit: a tile's sets of items by digit take 32 bytes a value in workgroup memory. */
const mostDigits = 256;
const digitBits = 8;

/** Blocks are made longer rather than more than this. */
const mostBlocks = 512;

interface Digit {
  readonly shift: number;
  /** Values, at most {@link mostDigits}. */
  readonly values: number;
}

interface Layout {
  readonly digits: readonly Digit[];
  /** Tiles of a block; a tile is one item for each thread. */
  readonly tiles: number;
  readonly blocks: number;
}

function layoutOf(items: number, keys: number): Layout {
  const tiles = Math.ceil(items / threads / mostBlocks);
  const blocks = Math.ceil(items / threads / tiles);
  if (keys <= mostDigits) return { digits: [{ shift: 0, values: keys }], tiles, blocks };
  const bits = Math.ceil(Math.log2(keys));
  const passes = Math.ceil(bits / digitBits);
  const width = Math.ceil(bits / passes);
  const digits = Array.from({ length: passes }, (_, pass): Digit => {
    const shift = pass * width;
    return { shift, values: Math.min(2 ** width, Math.floor((keys - 1) / 2 ** shift) + 1) };
  });
  return { digits, tiles, blocks };
}

/**
 * What a sort of M items by K keys needs, for {@link sortByKey}: as ranges of `setup.derived`, or each
 * from `setup.scratch`.
 */
export function sortRanges(
  items: number,
  keys: number,
): Readonly<Record<SortRange, readonly [ElementType, number]>> {
  const { digits, blocks } = layoutOf(items, keys);
  const values = Math.max(...digits.map((digit) => digit.values));
  return {
    order: ['u32', items],
    starts: ['u32', keys + 1],
    counts: ['u32', values * blocks],
    totals: ['u32', values],
    other: ['u32', digits.length > 1 ? items : 1],
  };
}

/** Sorts items by key: fills `order` and `starts` of the ranges that {@link sortRanges} describes. */
export function sortByKey(keys: SortKeys, ranges: Ranges<SortRange>): Dispatch[] {
  const layout = layoutOf(keys.items, keys.keys);
  const { digits } = layout;
  const passes = digits.flatMap((digit, pass) => {
    // The passes alternate between two orders so that the last one fills `order`.
    const isTurn = (digits.length - 1 - pass) % 2 === 0;
    const [to, from] = isTurn ? [ranges.order, ranges.other] : [ranges.other, ranges.order];
    const step: Pass = { keys, layout, digit, from: pass === 0 ? undefined : from, to, ranges };
    return [countDigits(step), sumBefore(step), placeItems(step)];
  });
  return digits.length === 1 ? passes : [...passes, findStarts(keys, ranges)];
}

/** Sorting by one digit. */
interface Pass {
  readonly keys: SortKeys;
  readonly layout: Layout;
  readonly digit: Digit;
  /** Order of the items by the digits before; absent for the first. */
  readonly from: Operand | undefined;
  readonly to: Operand;
  readonly ranges: Ranges<SortRange>;
}

/** WGSL: the key of an item, and the item and the digit at a position of the order so far. */
function digitFunctions({ keys, digit: { shift, values }, from }: Pass): string {
  return `
${keyFunction(keys)}
fn itemAt(position: u32) -> u32 { return ${from === undefined ? 'position' : 'sortFrom[position]'}; }
fn digitOf(item: u32) -> u32 { return (keyOf(item) >> ${shift}u) % ${2 ** Math.ceil(Math.log2(values))}u; }`;
}

function keyFunction({ keys, key }: SortKeys): string {
  return `fn keyOf(i: u32) -> u32 { return min(${key}, ${keys - 1}u); }`;
}

function digitReads({ keys: { reads }, from }: Pass): Record<string, Operand> {
  return { ...reads, ...(from === undefined ? {} : { sortFrom: from }) };
}

/** How often each digit occurs in each block: counts [values, blocks]. */
function countDigits(pass: Pass): Dispatch {
  const { keys, layout, digit, ranges } = pass;
  const { tiles, blocks } = layout;
  return {
    kernel: 'sort count',
    reads: digitReads(pass),
    writes: { sortCounts: ranges.counts },
    code: `${digitFunctions(pass)}
// How many there are does not depend on who counts first.
var<workgroup> counted: array<atomic<u32>, ${digit.values}>;

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  for (var value = thread; value < ${digit.values}u; value += ${threads}u) {
    atomicStore(&counted[value], 0u);
  }
  workgroupBarrier();
  for (var tile = 0u; tile < ${tiles}u; tile++) {
    let position = (group.x * ${tiles}u + tile) * ${threads}u + thread;
    if (position < ${keys.items}u) { atomicAdd(&counted[digitOf(itemAt(position))], 1u); }
  }
  workgroupBarrier();
  for (var value = thread; value < ${digit.values}u; value += ${threads}u) {
    sortCounts[value * ${blocks}u + group.x] = atomicLoad(&counted[value]);
  }
}`,
    workgroups: [blocks, 1, 1],
  };
}

/** WGSL: the sums over the threads before, and over all threads, of a number that each has. */
const prefixSum = `
var<workgroup> summed: array<u32, ${threads}>;

struct Prefix { before: u32, all: u32 }

fn prefixSum(number: u32, thread: u32) -> Prefix {
  summed[thread] = number;
  workgroupBarrier();
  for (var step = 1u; step < ${threads}u; step *= 2u) {
    var other = 0u;
    if (thread >= step) { other = summed[thread - step]; }
    workgroupBarrier();
    summed[thread] += other;
    workgroupBarrier();
  }
  return Prefix(summed[thread] - number, summed[${threads - 1}]);
}`;

/** Counts of each digit over the blocks before, in place, and its totals [values]. */
function sumBefore({ layout: { blocks }, digit, ranges }: Pass): Dispatch {
  const share = Math.ceil(blocks / threads);
  return {
    kernel: 'sort sums',
    reads: {},
    writes: { sortCounts: ranges.counts, sortTotals: ranges.totals },
    code: `${prefixSum}

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let row = group.x * ${blocks}u;
  let first = min(thread * ${share}u, ${blocks}u);
  let end = min(first + ${share}u, ${blocks}u);
  var own = 0u;
  for (var block = first; block < end; block++) { own += sortCounts[row + block]; }
  let sums = prefixSum(own, thread);
  var before = sums.before;
  for (var block = first; block < end; block++) {
    let count = sortCounts[row + block];
    sortCounts[row + block] = before;
    before += count;
  }
  if (thread == 0u) { sortTotals[group.x] = sums.all; }
}`,
    workgroups: [digit.values, 1, 1],
  };
}

/** Puts every item into its place by the digit. With one digit alone it knows the starts. */
function placeItems(pass: Pass): Dispatch {
  const { keys, layout, digit, to, ranges } = pass;
  const { tiles, blocks, digits } = layout;
  const words = threads / 32;
  const starts =
    digits.length > 1
      ? ''
      : `
  if (group.x == 0u) {
    if (thread < ${keys.keys}u) { sortStarts[thread] = before; }
    if (thread == 0u) { sortStarts[${keys.keys}] = ${keys.items}u; }
  }`;
  return {
    kernel: 'sort place',
    reads: { ...digitReads(pass), sortCounts: ranges.counts, sortTotals: ranges.totals },
    writes: { sortTo: to, ...(starts === '' ? {} : { sortStarts: ranges.starts }) },
    code: `${digitFunctions(pass)}
${prefixSum}
// The tile's items of each digit, a bit for each thread.
var<workgroup> members: array<atomic<u32>, ${digit.values * words}>;
// Where the block's next item of each digit goes.
var<workgroup> next: array<u32, ${digit.values}>;

// Items of a digit in the words before \`end\` of its set.
fn membersBefore(digit: u32, end: u32) -> u32 {
  var count = 0u;
  for (var word = 0u; word < end; word++) {
    count += countOneBits(atomicLoad(&members[digit * ${words}u + word]));
  }
  return count;
}

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let hasDigit = thread < ${digit.values}u;
  var total = 0u;
  if (hasDigit) { total = sortTotals[thread]; }
  let before = prefixSum(total, thread).before;
  if (hasDigit) { next[thread] = before + sortCounts[thread * ${blocks}u + group.x]; }${starts}
  for (var tile = 0u; tile < ${tiles}u; tile++) {
    for (var i = thread; i < ${digit.values * words}u; i += ${threads}u) {
      atomicStore(&members[i], 0u);
    }
    workgroupBarrier();
    let position = (group.x * ${tiles}u + tile) * ${threads}u + thread;
    let isInside = position < ${keys.items}u;
    let word = thread / 32u;
    let bit = 1u << (thread % 32u);
    var item = 0u;
    var digit = 0u;
    if (isInside) {
      item = itemAt(position);
      digit = digitOf(item);
      atomicOr(&members[digit * ${words}u + word], bit);
    }
    workgroupBarrier();
    if (isInside) {
      let ahead = atomicLoad(&members[digit * ${words}u + word]) & (bit - 1u);
      sortTo[next[digit] + membersBefore(digit, word) + countOneBits(ahead)] = item;
    }
    workgroupBarrier();
    if (hasDigit) { next[thread] += membersBefore(thread, ${words}u); }
    workgroupBarrier();
  }
}`,
    workgroups: [blocks, 1, 1],
  };
}

/** starts [K + 1] from the order: for every key by halving, the first item whose key is no smaller. */
function findStarts(keys: SortKeys, ranges: Ranges<SortRange>): Dispatch {
  const halvings = Math.ceil(Math.log2(keys.items + 1));
  return {
    kernel: 'sort starts',
    reads: { ...keys.reads, sortOrder: ranges.order },
    writes: { sortStarts: ranges.starts },
    code: `${keyFunction(keys)}
${perThread(
  keys.keys + 1,
  `  var low = 0u;
  var high = ${keys.items}u;
  for (var halving = 0u; halving < ${halvings}u; halving++) {
    let middle = (low + high) / 2u;
    if (low < high) {
      if (keyOf(sortOrder[middle]) < i) { low = middle + 1u; } else { high = middle; }
    }
  }
  sortStarts[i] = low;`,
)}`,
    workgroups: threadGrid(keys.keys + 1),
  };
}
