/** What the notification says when a run has ended. */
import { loss, whole } from '../core/contract/format.ts';
import type { Run } from '../core/contract/records.ts';

export interface RunNotice {
  title: string;
  body: string;
}

/** Null where nobody needs to be told: somebody stopped the run. */
export function runNotice(run: Run): RunNotice | null {
  switch (run.status) {
    case 'finished':
      return { title: `${run.name} finished`, body: finishedText(run) };
    case 'failed':
      return {
        title: `${run.name} failed`,
        body: run.error?.message ?? `It ended at step ${whole(run.step)}.`,
      };
    case 'interrupted':
      return {
        title: `${run.name} was interrupted`,
        body: `Its process ended unexpectedly at step ${whole(run.step)}. It can be resumed.`,
      };
    default:
      return null;
  }
}

function finishedText({ step, bestValidationLoss }: Run): string {
  const steps = `${whole(step)} steps`;
  return bestValidationLoss === null
    ? `${steps}.`
    : `${steps}; best validation loss ${loss(bestValidationLoss)}.`;
}
