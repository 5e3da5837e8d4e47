/**
 * The buffers for temporaries that all programs of an executor share. A plan's buffers are given these
 * by size, the largest the largest, so together they take what the most demanding plan takes of each.
 */
import { valuesUsage } from './bufferUsage.ts';
import type { WebgpuExecutor } from './executor.ts';

const purpose = 'the values of a step';

export class SharedBuffers {
  private readonly executor: WebgpuExecutor;
  /** The largest first. */
  private buffers: GPUBuffer[] = [];

  constructor(executor: WebgpuExecutor) {
    this.executor = executor;
  }

  /**
   * Makes room for a plan's buffers.
   * @param sizes in bytes
   * @returns for each of them the number of the shared buffer that it uses
   */
  fit(sizes: readonly number[]): number[] {
    const order = sizes.map((_, i) => i).toSorted((a, b) => sizes[b] - sizes[a]);
    const wanted = order.map((i) => sizes[i]);
    const grows = wanted.some((bytes, rank) => bytes > (this.buffers.at(rank)?.size ?? 0));
    if (grows) this.grow(wanted);
    const ranks = new Array<number>(sizes.length);
    for (const [rank, i] of order.entries()) ranks[i] = rank;
    return ranks;
  }

  get(rank: number): GPUBuffer {
    return this.buffers[rank];
  }

  dispose(): void {
    for (const buffer of this.buffers) this.executor.release(buffer);
    this.buffers = [];
  }

  /** Old buffers go first: nothing in them outlives a run. */
  private grow(wanted: readonly number[]): void {
    const old = this.buffers;
    const sizes = Array.from({ length: Math.max(old.length, wanted.length) }, (_, rank) =>
      Math.max(old.at(rank)?.size ?? 0, wanted.at(rank) ?? 0),
    );
    for (const bytes of sizes) this.executor.requireSize(bytes, purpose);
    this.executor.version++;
    for (const [rank, buffer] of old.entries())
      if (buffer.size !== sizes[rank]) this.executor.release(buffer);
    this.buffers = sizes.map((size, rank) =>
      old.at(rank)?.size === size ? old[rank] : this.executor.allocate(size, valuesUsage, purpose),
    );
  }
}
