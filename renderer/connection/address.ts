/** Where the core is and the token it wants: in the address's fragment at first, then kept for the tab. */

export interface CoreAddress {
  /** `127.0.0.1:7373` */
  host: string;
  token: string;
}

/** The part of the window that is used. */
export interface Tab {
  readonly location: { readonly hash: string; readonly host: string };
  readonly sessionStorage: {
    getItem(key: string): string | null;
    setItem(key: string, value: string): void;
  };
  readonly history: { replaceState(data: unknown, unused: string, url: string): void };
}

const storageKey = 'switchyard.core';

/** Whether a fragment is one that Switchyard prints, with a token. */
export function hasToken(hash: string): boolean {
  return new URLSearchParams(hash.slice(1)).has('token');
}

/**
 * Reads `#token=…` (in the shell also `core=HOST:PORT`) and takes it out of the address bar, so that it
 * is neither seen nor bookmarked; without it, what this tab was given before.
 */
export function takeAddress({ location, sessionStorage, history }: Tab): CoreAddress | null {
  const parameters = new URLSearchParams(location.hash.slice(1));
  const token = parameters.get('token');
  if (token === null) return readAddress(sessionStorage.getItem(storageKey));
  const address = { host: parameters.get('core') ?? location.host, token };
  sessionStorage.setItem(storageKey, JSON.stringify(address));
  history.replaceState(null, '', '#/runs');
  return address;
}

function readAddress(kept: string | null): CoreAddress | null {
  if (kept === null) return null;
  const { host, token } = JSON.parse(kept) as Partial<CoreAddress>;
  return host === undefined || token === undefined ? null : { host, token };
}
