/** How the list of runs is searched, filtered and sorted: kept while other screens are shown. */
import { everything, type ListFilter } from './filter.ts';

class Listing {
  filter = $state.raw<ListFilter>(everything);

  /** What trains or waits, and nothing else. */
  showActive(): void {
    this.filter = { ...everything, sort: this.filter.sort, status: 'active' };
  }
}

export const listing = new Listing();
