/** The window's title: how the active run is doing, so that a taskbar or a tab shows it. */
import type { Run } from '../../core/contract/records.ts';

export function title(active: readonly Run[], stepOf: (run: Run) => number): string {
  const running = active.filter(({ status }) => status === 'running');
  const [first] = running;
  if (first === undefined) return 'Switchyard';
  const percent = Math.floor((100 * stepOf(first)) / first.config.training.steps);
  const more = running.length > 1 ? ` and ${running.length - 1} more` : '';
  return `${percent} % ${first.name}${more} – Switchyard`;
}
