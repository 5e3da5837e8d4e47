/** What the window is called, so that a taskbar, a tab or a screen reader says where and how it stands. */
import type { Run } from '../../core/contract/records.ts';
import type { Route } from '../routing.svelte.ts';

/** The name of the screen that is shown; of a run's, the run's name. */
export function placeOf(route: Route, nameOf: (id: string) => string | undefined): string {
  switch (route.screen) {
    case 'runs':
      return 'Runs';
    case 'run':
      return nameOf(route.id) ?? 'Run';
    case 'new':
      return 'New run';
    case 'data':
      return 'Data';
    case 'machine':
      return 'This machine';
  }
}

/** How the active run is doing comes first: narrow tabs show little. */
export function title(place: string, active: readonly Run[], stepOf: (run: Run) => number): string {
  const running = active.filter(({ status }) => status === 'running');
  const [first] = running;
  if (first === undefined) return `${place} – Switchyard`;
  const percent = Math.floor((100 * stepOf(first)) / first.config.training.steps);
  const more = running.length > 1 ? ` and ${running.length - 1} more` : '';
  const where = place === first.name ? '' : ` – ${place}`;
  return `${percent} % ${first.name}${more}${where} – Switchyard`;
}
