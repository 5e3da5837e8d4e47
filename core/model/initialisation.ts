/** Deviation of a matrix in an L-layer pre-norm transformer: sqrt(2 / L) / sqrt(fanIn). */
export function preNormDeviation(layers: number, fanIn: number): number {
  return Math.sqrt(2 / layers / fanIn);
}
