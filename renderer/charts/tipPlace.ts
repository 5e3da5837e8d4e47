/** Where the numbers at the pointer stand: beside it, and inside the chart. */

/** Pixels between the pointer and the numbers. */
const gap = 14;

/**
 * On the side with more room, moved inwards where that is not enough.
 * @param pointer in pixels from the chart's left edge, as is the result
 * @param tip how wide the numbers are
 * @param chart how wide the chart is
 */
export function besidePointer(pointer: number, tip: number, chart: number): number {
  const left = pointer > chart / 2 ? pointer - gap - tip : pointer + gap;
  return Math.max(0, Math.min(left, chart - tip));
}
