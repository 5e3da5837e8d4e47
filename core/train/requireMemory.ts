import { SwitchyardError } from '../contract/errors.ts';
import type { Executor } from '../graph/executor.ts';
import type { Plan } from '../graph/plan.ts';

const gibibytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

/**
 * Refuses plans that cannot fit, before anything is allocated: a machine that runs out of memory
 * half-way may end other programs than this one.
 * @throws SwitchyardError('out-of-memory') with both numbers and what to change
 */
export function requireMemory(executor: Pick<Executor, 'limit'>, plans: readonly Plan[]): void {
  const needed = Math.max(...plans.map(({ memory }) => memory.variables + memory.buffers));
  const { bytes, holder } = executor.limit();
  if (needed <= bytes) return;
  throw new SwitchyardError(
    'out-of-memory',
    `Training needs ${gibibytes(needed)} for tensors, but ${holder} ${gibibytes(bytes)}: ${gibibytes(needed - bytes)} too little. A smaller training.batch (with training.accumulate for the same total), model.context or model.width needs less.`,
  );
}
