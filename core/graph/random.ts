/**
 * The one source of randomness: a counter-based integer hash, so that initialisation, batches and
 * dropout masks are the same on every backend, and resuming needs no generator state.
 *
 * `pcg4d` of Jarzynski & Olano, "Hash Functions for GPU Rendering", JCGT 9(3), 2020. It uses only
 * 32-bit wrapping multiplications, additions and shifts, which WGSL and JavaScript both have.
 */

/** What a draw is for. Streams never share counters, so two uses never see the same numbers. */
export const stream = {
  initialisation: 0x1000_0000,
  batches: 0x2000_0000,
  dropout: 0x3000_0000,
  sampling: 0x4000_0000,
  listops: 0x5000_0000,
} as const;

/**
 * Hashes four unsigned 32-bit counters into four.
 * @param out receives the four results; reuse it to avoid allocation in loops
 */
export function pcg4d(a: number, b: number, c: number, d: number, out: Uint32Array): void {
  let x = (Math.imul(a, 1664525) + 1013904223) | 0;
  let y = (Math.imul(b, 1664525) + 1013904223) | 0;
  let z = (Math.imul(c, 1664525) + 1013904223) | 0;
  let w = (Math.imul(d, 1664525) + 1013904223) | 0;
  x = (x + Math.imul(y, w)) | 0;
  y = (y + Math.imul(z, x)) | 0;
  z = (z + Math.imul(x, y)) | 0;
  w = (w + Math.imul(y, z)) | 0;
  x ^= x >>> 16;
  y ^= y >>> 16;
  z ^= z >>> 16;
  w ^= w >>> 16;
  x = (x + Math.imul(y, w)) | 0;
  y = (y + Math.imul(z, x)) | 0;
  z = (z + Math.imul(x, y)) | 0;
  w = (w + Math.imul(y, z)) | 0;
  out[0] = x;
  out[1] = y;
  out[2] = z;
  out[3] = w;
}

const scratch = new Uint32Array(4);

/** One draw in [0, 1) with 53 random bits. `site` must be below 2^28. */
export function uniform(streamId: number, site: number, index: number, seed: number): number {
  pcg4d(index, streamId + site, 0, seed, scratch);
  return (scratch[0] * 2 ** 21 + (scratch[1] >>> 11)) / 2 ** 53;
}

/** A whole number in [0, limit), limit at most 2^53; the bias is below 2^-53 times limit. */
export function uniformInteger(
  streamId: number,
  site: number,
  index: number,
  seed: number,
  limit: number,
): number {
  return Math.floor(uniform(streamId, site, index, seed) * limit);
}

/** The mask's threshold: an element is dropped when its 32-bit hash is below this. */
export function dropoutThreshold(rate: number): number {
  return Math.floor(rate * 2 ** 32);
}

/**
 * The dropout mask that every backend must use, scaled to keep the mean.
 * @param site which dropout of the model (below 2^28), `step` which draw of it
 * @returns one factor an element: 0 where dropped, else 1 / (1 - rate)
 */
export function dropoutMask(
  length: number,
  rate: number,
  site: number,
  step: number,
  seed: number,
): Float32Array<ArrayBuffer> {
  const mask = new Float32Array(length);
  const threshold = dropoutThreshold(rate);
  const keep = 1 / (1 - rate);
  for (let i = 0; i < length; i++) {
    pcg4d(i, stream.dropout + site, step, seed, scratch);
    mask[i] = scratch[0] < threshold ? 0 : keep;
  }
  return mask;
}
