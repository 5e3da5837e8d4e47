/**
 * What no content may do, whatever a page was made to try: leave its address, open windows, embed
 * web views, or use the machine's devices.
 */
import type { Session, WebPreferences } from 'electron';
import { appOrigin } from '../core/contract/desktop.ts';

/** The settings of the one window. */
export function safePreferences(preload: string): WebPreferences {
  return {
    preload,
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webSecurity: true,
    webviewTag: false,
    spellcheck: false,
  };
}

interface Refusable {
  preventDefault(): void;
}

/** The part of Electron's `WebContents` that is used here. */
export interface GuardedContents {
  on(
    event: 'will-navigate' | 'will-frame-navigate' | 'will-redirect' | 'will-attach-webview',
    listener: (event: Refusable) => void,
  ): unknown;
  setWindowOpenHandler(handler: () => { action: 'deny' }): void;
}

/** For every web contents that comes into being. */
export function guardContents(contents: GuardedContents): void {
  const refuse = (event: Refusable): void => event.preventDefault();
  contents.on('will-navigate', refuse);
  contents.on('will-frame-navigate', refuse);
  contents.on('will-redirect', refuse);
  contents.on('will-attach-webview', refuse);
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
}

export type GuardedSession = Pick<
  Session,
  'setPermissionRequestHandler' | 'setPermissionCheckHandler' | 'setDevicePermissionHandler'
>;

/** Putting text on the clipboard, which a click on `Copy` does; the page cannot read what is there. */
const harmless = 'clipboard-sanitized-write';

/** Refuses every permission but the harmless one, and that one to other pages. */
export function guardSession(session: GuardedSession): void {
  session.setPermissionRequestHandler((_contents, permission, answer, details) => {
    answer(permission === harmless && isOwnPage(details.requestingUrl));
  });
  session.setPermissionCheckHandler(
    (_contents, permission, origin) => permission === harmless && isOwnPage(`${origin}/`),
  );
  session.setDevicePermissionHandler(() => false);
}

/** Whether an address is one of the page's own. */
export function isOwnPage(url: string): boolean {
  return url.startsWith(`${appOrigin}/`);
}
