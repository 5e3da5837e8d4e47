/**
 * Choices of experts in the order of the experts, so that an expert's matrix meets all its rows at once.
 * An item is one choice of one token: token · G·k + group · k + slot, its place in indices and weights.
 */
import { last } from '../../../graph/shapes.ts';
import { sizeOf, type Tensor } from '../../../graph/graph.ts';
import { slots, type Layout } from '../../../graph/ops/cvmm.ts';
import type { Operand, Ranges, Setup } from '../kernel.ts';
import { sortByKey, sortRanges, type SortRange } from '../kernels/countingSort.ts';
import { perThread, threadGrid } from '../kernels/grid.ts';

/** Who chose which experts. */
export interface ExpertChoices {
  /** [..., G·k] */
  readonly indices: Tensor;
  readonly groups: number;
  readonly k: number;
  /** Expert matrices in all, G·E. */
  readonly experts: number;
  /** Choices in all, M. */
  readonly items: number;
}

export function expertChoices(
  indices: Tensor,
  experts: number,
  { groups, k }: { readonly groups: number; readonly k: number },
): ExpertChoices {
  return { indices, groups, k, experts, items: sizeOf(indices.shape) };
}

/** How many items, one after the other, use the same row of an operand. */
export const itemsPerRow = (layout: Layout, { groups, k }: ExpertChoices): number =>
  (groups * k) / slots(layout, groups, k);

const keyOf = ({ groups, k, experts }: ExpertChoices): string => `${groups}·${k} of ${experts}`;

/** The items by expert (group · E + index): order [M] and starts [G·E + 1], see countingSort.ts. */
export function itemsByExpert(choices: ExpertChoices, setup: Setup): Ranges<SortRange> {
  const { indices, groups, k, experts, items } = choices;
  const width = last(indices.shape);
  return setup.derived(
    indices,
    `by expert, ${keyOf(choices)}`,
    sortRanges(items, experts),
    (ranges) =>
      sortByKey(
        {
          items,
          keys: experts,
          key: `(i % ${width}u / ${k}u * ${experts / groups}u + u32(indices[i]))`,
          reads: { indices: setup.operand(indices) },
        },
        ranges,
      ),
  );
}

/** The sorted items in runs that each belong to one expert. */
export interface ExpertRuns {
  /**
   * [count] of vec4<u32>: expert, first item and end in the order, unused. By expert; those that are
   * not needed follow and are empty, the last one always.
   */
  readonly runs: Operand;
  /** [G·E + 1] u32: each expert's first run. */
  readonly firsts: Operand;
  /** Runs with the empty ones. */
  readonly count: number;
}

/** Cuts the sorted items into runs of at most `length`: however uneven the experts' loads are, they are equal work. */
export function expertRuns(choices: ExpertChoices, length: number, setup: Setup): ExpertRuns {
  const { indices, experts, items } = choices;
  const { starts } = itemsByExpert(choices, setup);
  const count = Math.ceil(items / length) + experts + 1;
  const { runs, firsts } = setup.derived(
    indices,
    `runs of ${length}, ${keyOf(choices)}`,
    { runs: ['u32', 4 * count], firsts: ['u32', experts + 1] },
    (ranges) => [
      {
        kernel: 'expert runs',
        reads: { starts },
        writes: { runs: { ...ranges.runs, vector: 4 }, firsts: ranges.firsts },
        code: perThread(
          Math.max(count, experts + 1),
          `  var before = 0u;
  var run = vec4<u32>();
  for (var expert = 0u; expert < ${experts}u; expert++) {
    let start = starts[expert];
    let end = starts[expert + 1u];
    let its = (end - start + ${length - 1}u) / ${length}u;
    if (i == expert) { firsts[i] = before; }
    if (i >= before && i < before + its) {
      let first = start + (i - before) * ${length}u;
      run = vec4<u32>(expert, first, min(end, first + ${length}u), 0u);
    }
    before += its;
  }
  if (i == ${experts}u) { firsts[i] = before; }
  if (i < ${count}u) { runs[i] = run; }`,
        ),
        workgroups: threadGrid(Math.max(count, experts + 1)),
      },
    ],
  );
  return { runs: { ...runs, vector: 4 }, firsts, count };
}
