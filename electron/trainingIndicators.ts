/** While something trains: progress on the taskbar, and no idle sleep. */
import type { BrowserWindow, PowerSaveBlocker } from 'electron';
import type { Run } from '../core/contract/records.ts';
import { meanProgress } from './runWatch.ts';

/** Returns what to call with the active runs whenever they change. */
export function createTrainingIndicators(
  window: Pick<BrowserWindow, 'setProgressBar'>,
  blocker: Pick<PowerSaveBlocker, 'start' | 'stop'>,
): (active: readonly Run[]) => void {
  let shown = -1;
  let block: number | null = null;
  return (active) => {
    const progress = meanProgress(active);
    // The bar is not redrawn for less than it can show.
    const next = progress === null ? -1 : Math.round(progress * 200) / 200;
    if (next !== shown) window.setProgressBar(next);
    shown = next;
    if (progress !== null) block ??= blocker.start('prevent-app-suspension');
    else if (block !== null) {
      blocker.stop(block);
      block = null;
    }
  };
}
