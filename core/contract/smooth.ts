/**
 * Smoothing and thinning of curves, for drawing. Both work on any spacing of points and say in their
 * result what they did, so that a figure can state it.
 */

/** A point of a curve: x, y. */
export type Point = readonly [x: number, y: number];

/**
 * Two-sided exponential average: each value becomes the mean of all, weighted by 2^(-distance in x /
 * halfLife). Symmetric, so a smoothed curve does not lag behind its points as a running average does;
 * weights go by distance, so it does not depend on how densely the curve is sampled. Linear time.
 * @param points in order of x, finite
 * @param weightOf how many values the point at an index stands for: then a curve and its summary are
 *   smoothed alike
 */
export function smooth(
  points: readonly Point[],
  halfLife: number,
  weightOf: (index: number) => number = () => 1,
): Point[] {
  const n = points.length;
  const sum = new Float64Array(n);
  const weight = new Float64Array(n);
  const sweep = (order: (k: number) => number): void => {
    let s = 0;
    let w = 0;
    for (let k = 0; k < n; k++) {
      const i = order(k);
      const [x, y] = points[i];
      const decay = k === 0 ? 0 : 2 ** (-Math.abs(x - points[order(k - 1)][0]) / halfLife);
      const own = weightOf(i);
      s = s * decay + own * y;
      w = w * decay + own;
      sum[i] += s;
      weight[i] += w;
    }
  };
  sweep((k) => k);
  sweep((k) => n - 1 - k);
  // Both sweeps count the point itself.
  return points.map(([x, y], i) => {
    const own = weightOf(i);
    return [x, (sum[i] - own * y) / (weight[i] - own)];
  });
}

/**
 * At most about `limit` points: the curve is cut into equal ranges of x and each keeps its lowest and
 * highest point in order, so that no spike disappears.
 */
export function thin(points: readonly Point[], limit: number): Point[] {
  if (points.length <= limit) return [...points];
  const ranges = Math.max(1, Math.floor(limit / 2));
  const start = points[0][0];
  const span = points[points.length - 1][0] - start;
  const kept: Point[] = [];
  let at = 0;
  for (let range = 0; range < ranges; range++) {
    const end = range === ranges - 1 ? Infinity : start + (span * (range + 1)) / ranges;
    let low = -1;
    let high = -1;
    for (; at < points.length && points[at][0] < end; at++) {
      if (low < 0 || points[at][1] < points[low][1]) low = at;
      if (high < 0 || points[at][1] > points[high][1]) high = at;
    }
    if (low < 0) continue;
    for (const index of low === high ? [low] : [Math.min(low, high), Math.max(low, high)])
      kept.push(points[index]);
  }
  return kept;
}
