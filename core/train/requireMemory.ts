import { SwitchyardError } from '../contract/errors.ts';
import type { Executor } from '../graph/executor.ts';
import type { Plan } from '../graph/plan.ts';
import type { StateTensor } from './state.ts';

const gibibytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

/**
 * Bytes of tensors that plans on one executor need, run in turn on the same variables.
 * @param kept variables that no plan touches
 */
export function plannedBytes(
  executor: Pick<Executor, 'plannedBytes'>,
  plans: readonly Plan[],
  kept: readonly StateTensor[],
): number {
  const variables = new Map([
    ...plans
      .flatMap((plan) => [...plan.variables])
      .map(([name, { shape }]) => [name, shape] as const),
    ...kept.map(({ name, shape }) => [name, shape] as const),
  ]);
  return executor.plannedBytes(plans, [...variables.values()]);
}

/**
 * Refuses plans that cannot fit, before anything is allocated: a machine that runs out of memory
 * half-way may end other programs than this one.
 * @param needed as {@link plannedBytes} counts them
 * @throws SwitchyardError('out-of-memory') with both numbers and what to change
 */
export function requireMemory(executor: Pick<Executor, 'limit'>, needed: number): void {
  const { bytes, holder } = executor.limit();
  if (needed <= bytes) return;
  throw new SwitchyardError(
    'out-of-memory',
    `Training needs ${gibibytes(needed)} for tensors, but ${holder} ${gibibytes(bytes)}: ${gibibytes(needed - bytes)} too little. A smaller training.batch (with training.accumulate for the same total), model.context or model.width needs less.`,
  );
}
