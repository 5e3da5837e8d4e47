/** Time of every kernel, by the GPU's own clock: one pass a dispatch, with a timestamp at both ends. */
import { SwitchyardError } from '../../contract/errors.ts';
import type { ProfileEntry } from '../../graph/executor.ts';
import { readingUsage, timestampUsage } from './bufferUsage.ts';
import type { WebgpuExecutor } from './executor.ts';
import type { Prepared } from './program.ts';

/** Timestamps that a query set can hold. */
const queries = 4096;

/** Runs the dispatches and sums their time by op and kernel. */
export async function profileDispatches(
  executor: WebgpuExecutor,
  dispatches: readonly Prepared[],
): Promise<readonly ProfileEntry[]> {
  const { gpu } = executor;
  if (!gpu.features.has('timestamp-query'))
    throw new SwitchyardError(
      'unsupported',
      'This GPU has no clock for kernels (WebGPU’s timestamp-query), so they cannot be profiled; time whole steps instead.',
    );
  const entries = new Map<string, { op: string; calls: number; milliseconds: number }>();
  for (let first = 0; first < dispatches.length; first += queries / 2) {
    const part = dispatches.slice(first, first + queries / 2);
    const times = await timesOf(executor, part);
    for (const [i, { op, kernel }] of part.entries()) {
      const name = kernel === op ? op : `${op}: ${kernel}`;
      const entry = entries.get(name) ?? { op: name, calls: 0, milliseconds: 0 };
      entry.calls += 1;
      entry.milliseconds += times[i];
      entries.set(name, entry);
    }
  }
  return [...entries.values()];
}

/** Milliseconds of each of up to `queries` / 2 dispatches. */
async function timesOf(
  executor: WebgpuExecutor,
  dispatches: readonly Prepared[],
): Promise<readonly number[]> {
  const { gpu, fault } = executor;
  const count = 2 * dispatches.length;
  const bytes = 8 * count;
  const set = gpu.createQuerySet({ type: 'timestamp', count });
  const resolved = executor.allocate(bytes, timestampUsage, 'timestamps');
  const staging = executor.allocate(bytes, readingUsage, 'timestamps');
  try {
    const encoder = gpu.createCommandEncoder();
    for (const [i, { workgroups, pipeline, group }] of dispatches.entries()) {
      const pass = encoder.beginComputePass({
        timestampWrites: {
          querySet: set,
          beginningOfPassWriteIndex: 2 * i,
          endOfPassWriteIndex: 2 * i + 1,
        },
      });
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(...workgroups);
      pass.end();
    }
    encoder.resolveQuerySet(set, 0, count, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, bytes);
    gpu.queue.submit([encoder.finish()]);
    await fault.guard(staging.mapAsync(1));
    const times = new BigUint64Array(staging.getMappedRange(0, bytes).slice(0));
    return dispatches.map((_, i) => Number(times[2 * i + 1] - times[2 * i]) / 1e6);
  } finally {
    executor.release(resolved);
    executor.release(staging);
    set.destroy();
  }
}
