/** Which points no other one beats on both sides: the front of quality against cost. */

export interface Candidate {
  /** Lower is better, on both sides. */
  cost: number;
  loss: number;
}

/** In order of cost; of equal points the first. */
export function paretoFront<T extends Candidate>(points: readonly T[]): T[] {
  const front: T[] = [];
  let best = Infinity;
  for (const point of points.toSorted((a, b) => a.cost - b.cost || a.loss - b.loss)) {
    if (point.loss >= best) continue;
    best = point.loss;
    front.push(point);
  }
  return front;
}
