/** Which screen is shown, as the address says. */
import { linkTo, parseRoute, type Route } from './routes.ts';

export { linkTo, runTabs, type Route, type RunTab } from './routes.ts';

class Router {
  route = $state.raw<Route>({ screen: 'runs' });

  start(): void {
    const read = (): void => void (this.route = parseRoute(window.location.hash));
    window.addEventListener('hashchange', read);
    read();
  }

  go(route: Route): void {
    window.location.hash = linkTo(route);
  }
}

export const router = new Router();
