/** The one window: created hidden, shown when the page has something to show. */
import type { BrowserWindow, BrowserWindowConstructorOptions, Rectangle } from 'electron';
import { desktopChannels, type MenuCommand } from '../core/contract/desktop.ts';
import type { CoreAddress } from './coreSession.ts';
import { safePreferences } from './guards.ts';
import { pageAddress } from './pageProtocol.ts';
import { smallestSize, usualSize, type WindowState } from './windowState.ts';

/** The part of Electron's `BrowserWindow` that the shell uses. */
export type ShellWindow = Pick<
  BrowserWindow,
  | 'show'
  | 'hide'
  | 'focus'
  | 'restore'
  | 'maximize'
  | 'isMinimized'
  | 'isMaximized'
  | 'getNormalBounds'
  | 'setProgressBar'
  | 'loadURL'
> & {
  readonly webContents: {
    send(channel: string, ...values: unknown[]): void;
    on(event: 'render-process-gone', listener: () => void): unknown;
  };
  on(event: 'close', listener: (event: { preventDefault(): void }) => void): unknown;
  on(event: 'session-end', listener: () => void): unknown;
  once(event: 'ready-to-show', listener: () => void): unknown;
};

export interface PageParts {
  createWindow(options: BrowserWindowConstructorOptions): ShellWindow;
  readonly preload: string;
  readonly icon: string;
  readonly dark: boolean;
  readonly state: WindowState;
  log(line: string): void;
}

export interface Page {
  readonly window: ShellWindow;
  load(core: CoreAddress): void;
  command(command: MenuCommand): void;
  showRun(runId: string): void;
  state(): WindowState;
}

/** How often in a session a page that crashed is loaded again. */
const reloads = 3;

export function createPage(parts: PageParts): Page {
  const window = parts.createWindow(windowOptions(parts));
  let core: CoreAddress | null = null;
  let crashes = 0;

  const load = (address: CoreAddress): void => {
    core = address;
    window
      .loadURL(pageAddress(address))
      .catch((error: unknown) => parts.log(`The page did not load: ${String(error)}`));
  };
  window.once('ready-to-show', () => {
    if (parts.state.maximised) window.maximize();
    window.show();
  });
  window.webContents.on('render-process-gone', () => {
    crashes += 1;
    parts.log('The page’s process ended unexpectedly.');
    if (core !== null && crashes <= reloads) load(core);
  });
  return {
    window,
    load,
    command: (command) => window.webContents.send(desktopChannels.menu, command),
    showRun: (runId) => window.webContents.send(desktopChannels.showRun, runId),
    state: () => ({ bounds: rectangle(window.getNormalBounds()), maximised: window.isMaximized() }),
  };
}

function windowOptions(parts: PageParts): BrowserWindowConstructorOptions {
  return {
    ...usualSize,
    ...parts.state.bounds,
    minWidth: smallestSize.width,
    minHeight: smallestSize.height,
    show: false,
    title: 'Switchyard',
    icon: parts.icon,
    // Until the page has drawn itself, and at the edges while the window grows.
    backgroundColor: parts.dark ? '#0d1117' : '#f5f6f8',
    webPreferences: safePreferences(parts.preload),
  };
}

function rectangle({ x, y, width, height }: Rectangle): Rectangle {
  return { x, y, width, height };
}
