/**
 * The desktop app from start to end, read top to bottom: one instance, a core, a window, and a way
 * out that never loses training. Electron is handed in, so that all of it runs in tests.
 */
import type {
  App,
  BrowserWindowConstructorOptions,
  CustomScheme,
  MenuItemConstructorOptions,
  MessageBoxOptions,
  PowerSaveBlocker,
  Protocol,
  Rectangle,
} from 'electron';
import { basename } from 'node:path';
import { createBackground, type Background, type ShellTray } from './background.ts';
import { startCoreSession, type CoreSession, type CoreSessionParts } from './coreSession.ts';
import { answerDesktopRequests, type DesktopParts } from './desktopRequests.ts';
import { explainFailure } from './failure.ts';
import {
  guardContents,
  guardSession,
  type GuardedContents,
  type GuardedSession,
} from './guards.ts';
import { createLeaving, type Leaving } from './leaving.ts';
import { menuTemplate } from './menu.ts';
import { createOpenedTexts, filesOf, type OpenedTexts } from './openedTexts.ts';
import { createPage, type Page, type ShellWindow } from './page.ts';
import { pageScheme, servePage } from './pageProtocol.ts';
import { runNotice, type RunNotice } from './runNotice.ts';
import { createRunWatch, type RunWatch } from './runWatch.ts';
import { pauseDuringSleep, type SleepSignals } from './sleep.ts';
import { createTrainingIndicators } from './trainingIndicators.ts';
import { readWindowState, writeWindowState } from './windowState.ts';

interface Refusable {
  preventDefault(): void;
}

/** The part of Electron's `App` that is used here. */
export type ShellApp = Pick<
  App,
  'requestSingleInstanceLock' | 'enableSandbox' | 'whenReady' | 'quit'
> & {
  on(event: 'before-quit', listener: (event: Refusable) => void): unknown;
  on(event: 'activate', listener: () => void): unknown;
  on(event: 'open-file', listener: (event: Refusable, path: string) => void): unknown;
  on(
    event: 'second-instance',
    listener: (event: unknown, argv: string[], cwd: string) => void,
  ): unknown;
  on(
    event: 'web-contents-created',
    listener: (event: unknown, contents: GuardedContents) => void,
  ): unknown;
};

export interface ShellParts {
  readonly app: ShellApp;
  readonly platform: string;
  readonly packaged: boolean;
  readonly argv: readonly string[];
  readonly cwd: string;
  /** Versions and platform, for reports. */
  readonly about: string;
  readonly paths: { page: string; preload: string; icon: string; windowState: string };
  readonly core: Pick<CoreSessionParts, 'start' | 'connect'>;
  readonly power: SleepSignals & { on(event: 'shutdown', listener: () => void): unknown };
  readonly powerSaveBlocker: Pick<PowerSaveBlocker, 'start' | 'stop'>;
  /** Being asked to end by the system: nobody is asked. */
  readonly onTerminated: (listener: () => void) => void;
  registerSchemes(schemes: CustomScheme[]): void;
  /** What only exists once the app is ready. */
  desktop(): ShellDesktop;
  readonly setTimeout: (work: () => void, milliseconds: number) => unknown;
  readonly log: (line: string) => void;
}

export interface ShellDesktop extends Omit<DesktopParts, 'home'> {
  readonly protocol: Pick<Protocol, 'handle'>;
  readonly session: GuardedSession;
  readonly workAreas: readonly Rectangle[];
  readonly dark: boolean;
  createWindow(options: BrowserWindowConstructorOptions): ShellWindow;
  createTray(menu: MenuItemConstructorOptions[]): ShellTray;
  setMenu(template: MenuItemConstructorOptions[]): void;
  /** A message box; the number of the button. */
  ask(options: MessageBoxOptions): Promise<number>;
  copy(text: string): void;
  openFolder(path: string): void;
  notify(notice: RunNotice, onClick: () => void): void;
}

/** Settles once the window is there, or at once in a second instance. */
export async function startShell(parts: ShellParts): Promise<void> {
  const { app } = parts;
  if (!app.requestSingleInstanceLock()) {
    // The first instance has been told, with our arguments.
    app.quit();
    return;
  }
  // It would take back the option without which Chromium does not start as root; the page's own process
  // stays sandboxed as far as it can be by its preferences.
  if (!parts.argv.includes('--no-sandbox')) app.enableSandbox();
  parts.registerSchemes([pageScheme]);
  app.on('web-contents-created', (_event, contents) => guardContents(contents));
  const files = createOpenedTexts();
  files.open(filesOf(parts.argv, parts.cwd, parts.packaged));
  app.on('open-file', (event, path) => {
    event.preventDefault();
    files.open([path]);
  });
  // Before the app is ready: both take their time.
  const core = startCoreSession({ ...parts.core, log: parts.log });
  await app.whenReady();
  runShell(parts, parts.desktop(), core, files);
}

function runShell(
  parts: ShellParts,
  desktop: ShellDesktop,
  core: CoreSession,
  files: OpenedTexts,
): void {
  const { app, paths } = parts;
  desktop.protocol.handle(pageScheme.scheme, servePage(paths.page));
  guardSession(desktop.session);
  answerDesktopRequests({ ...desktop, home: () => core.home() });

  const state = readWindowState(paths.windowState, desktop.workAreas);
  const page = createPage({ ...desktop, ...paths, state, log: parts.log });
  const quit = (): void => app.quit();
  const background = createBackground({ ...desktop, window: page.window, quit });
  const watch = watchRuns(parts, desktop, page, background);
  const leaving = createLeaving({
    active: () => watch.active(),
    ask: (options) => desktop.ask(options),
    toBackground: () => background.enter(),
    leaving: () => sayGoodbye(parts, page, watch),
    stopCore: () => core.stop(),
    quit,
    setTimeout: parts.setTimeout,
  });

  desktop.setMenu(
    menuTemplate({
      ...parts,
      quit,
      send: (command) => page.command(command),
      openDataFolder: () => {
        const home = core.home();
        if (home !== null) desktop.openFolder(home);
      },
    }),
  );
  connectSignals(parts, page, background, leaving, files);
  pauseDuringSleep({
    power: parts.power,
    client: () => core.client(),
    active: () => watch.active(),
    log: parts.log,
  });
  core.follow({
    onAddress: (address) => page.load(address),
    onFailed: (error) => {
      if (leaving.begun()) return;
      void explainFailure(error, { ...desktop, about: parts.about }).then(() => leaving.now());
    },
    onStopped: () => leaving.now(),
    onConnected: (client) => files.connected(client, (path, error) => refuse(desktop, path, error)),
    onRuns: (runs) => watch.replace(runs),
    onEvent: (event) => watch.receive(event),
  });
}

function watchRuns(
  parts: ShellParts,
  desktop: ShellDesktop,
  page: Page,
  background: Background,
): RunWatch {
  const indicate = createTrainingIndicators(page.window, parts.powerSaveBlocker);
  const watch = createRunWatch({
    onChange: () => indicate(watch.active()),
    onEnded: (run) => {
      const notice = runNotice(run);
      if (notice === null) return;
      desktop.notify(notice, () => {
        background.leave();
        page.showRun(run.id);
      });
    },
    setTimeout: parts.setTimeout,
  });
  return watch;
}

/** Who wants the window, and who wants it to end. */
function connectSignals(
  { app, power, onTerminated, packaged }: ShellParts,
  page: Page,
  background: Background,
  leaving: Leaving,
  files: OpenedTexts,
): void {
  app.on('second-instance', (_event, argv, cwd) => {
    background.leave();
    files.open(filesOf(argv, cwd, packaged));
  });
  app.on('activate', () => background.leave());
  app.on('before-quit', (event) => leaving.request(event));
  page.window.on('close', (event) => leaving.request(event));
  page.window.on('session-end', () => leaving.now());
  power.on('shutdown', () => leaving.now());
  onTerminated(() => leaving.now());
}

/** The window stays while checkpoints are written, and says so on the taskbar. */
function sayGoodbye({ paths, log }: ShellParts, page: Page, watch: RunWatch): void {
  try {
    writeWindowState(paths.windowState, page.state());
  } catch (error) {
    log(`The window’s place could not be remembered: ${String(error)}`);
  }
  if (watch.active().length === 0) page.window.hide();
  else page.window.setProgressBar(indeterminate);
}

/** For the taskbar: busy, without a share. */
const indeterminate = 2;

function refuse(desktop: ShellDesktop, path: string, error: unknown): void {
  void desktop.ask({
    type: 'error',
    message: `${basename(path)} could not be imported.`,
    detail: error instanceof Error ? error.message : String(error),
    buttons: ['OK'],
    noLink: true,
  });
}
