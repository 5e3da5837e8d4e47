/** Screens as addresses: the fragment, so that Back, Forward and reloading work. */

export type Route =
  | { screen: 'runs' }
  | { screen: 'run'; id: string; tab: RunTab }
  /** `from`: the run or preset whose configuration to start with; `data`: the dataset. */
  | { screen: 'new'; from: string | null; data: string | null }
  | { screen: 'data'; id: string | null }
  | { screen: 'machine' };

export const runTabs = ['overview', 'samples', 'checkpoints', 'configuration', 'log'] as const;
export type RunTab = (typeof runTabs)[number];

/** Anything unknown is the list of runs. */
export function parseRoute(hash: string): Route {
  const [path, query = ''] = hash.replace(/^#\/?/u, '').split('?');
  const [screen, id, tab] = partsOf(path);
  const parameters = new URLSearchParams(query);
  switch (screen) {
    case 'runs':
      if (id === undefined || id === '') return { screen: 'runs' };
      return { screen: 'run', id, tab: runTabs.find((known) => known === tab) ?? 'overview' };
    case 'new':
      return { screen: 'new', from: parameters.get('from'), data: parameters.get('data') };
    case 'data':
      return { screen: 'data', id: id === undefined || id === '' ? null : id };
    case 'machine':
      return { screen: 'machine' };
    default:
      return { screen: 'runs' };
  }
}

/** None for what is not well encoded. */
function partsOf(path: string): string[] {
  try {
    return path.split('/').map(decodeURIComponent);
  } catch {
    return [];
  }
}

/** The fragment of a route, for `href`. */
export function linkTo(route: Route): string {
  switch (route.screen) {
    case 'runs':
      return '#/runs';
    case 'run':
      return `#/runs/${encodeURIComponent(route.id)}${route.tab === 'overview' ? '' : `/${route.tab}`}`;
    case 'new': {
      const parameters = new URLSearchParams();
      if (route.from !== null) parameters.set('from', route.from);
      if (route.data !== null) parameters.set('data', route.data);
      return `#/new${parameters.size > 0 ? `?${parameters.toString()}` : ''}`;
    }
    case 'data':
      return `#/data${route.id === null ? '' : `/${encodeURIComponent(route.id)}`}`;
    case 'machine':
      return '#/machine';
  }
}
