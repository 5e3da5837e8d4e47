/** Electron as the shell sees it, without Electron: it records what the shell does, and tests play the person and the system. */
import type {
  BrowserWindowConstructorOptions,
  CustomScheme,
  IpcMain,
  MenuItemConstructorOptions,
  MessageBoxOptions,
  OpenDialogReturnValue,
  Rectangle,
  SaveDialogReturnValue,
} from 'electron';
import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client, CoreEvent, MethodName, Transport } from '../../core/contract/protocol.ts';
import { createClient } from '../../core/contract/protocol.ts';
import type { Run } from '../../core/contract/records.ts';
import type { ConnectionState } from '../../core/contract/socketTransport.ts';
import type { ShellTray } from '../background.ts';
import type { CoreState } from '../coreSession.ts';
import { unpackAnswer, type DesktopAnswer } from '../desktopAnswer.ts';
import type { GuardedContents, GuardedSession } from '../guards.ts';
import type { ShellWindow } from '../page.ts';
import type { RunNotice } from '../runNotice.ts';
import { startShell, type ShellApp, type ShellDesktop, type ShellParts } from '../shell.ts';

export class Refusable {
  refused = false;
  preventDefault(): void {
    this.refused = true;
  }
}

class FakeContents extends EventEmitter implements GuardedContents {
  readonly sent: unknown[][] = [];
  openHandler: (() => { action: 'deny' }) | null = null;
  send(...message: unknown[]): void {
    this.sent.push(message);
  }
  setWindowOpenHandler(handler: () => { action: 'deny' }): void {
    this.openHandler = handler;
  }
}

export class FakeWindow extends EventEmitter implements ShellWindow {
  readonly webContents = new FakeContents();
  readonly loaded: string[] = [];
  visible = false;
  focused = false;
  maximised = false;
  minimised = false;
  progress: number[] = [];
  bounds: Rectangle = { x: 10, y: 20, width: 1000, height: 700 };
  readonly options: BrowserWindowConstructorOptions;
  constructor(options: BrowserWindowConstructorOptions) {
    super();
    this.options = options;
  }
  show(): void {
    this.visible = true;
  }
  hide(): void {
    this.visible = false;
    this.focused = false;
  }
  focus(): void {
    this.focused = true;
  }
  restore(): void {
    this.minimised = false;
  }
  maximize(): void {
    this.maximised = true;
  }
  isMinimized(): boolean {
    return this.minimised;
  }
  isMaximized(): boolean {
    return this.maximised;
  }
  getNormalBounds(): Rectangle {
    return this.bounds;
  }
  setProgressBar(progress: number): void {
    this.progress.push(progress);
  }
  loadURL(url: string): Promise<void> {
    this.loaded.push(url);
    return Promise.resolve();
  }
}

class FakeTray extends EventEmitter implements ShellTray {
  destroyed = false;
  readonly menu: MenuItemConstructorOptions[];
  constructor(menu: MenuItemConstructorOptions[]) {
    super();
    this.menu = menu;
  }
  destroy(): void {
    this.destroyed = true;
  }
}

class FakeApp extends EventEmitter implements ShellApp {
  readonly steps: string[];
  first = true;
  /** Whether it really ended: `quit` asks its listeners first, as Electron's does. */
  ended = false;
  constructor(steps: string[]) {
    super();
    this.steps = steps;
  }
  requestSingleInstanceLock(): boolean {
    this.steps.push('lock');
    return this.first;
  }
  enableSandbox(): void {
    this.steps.push('sandbox');
  }
  whenReady(): Promise<void> {
    this.steps.push('ready');
    return Promise.resolve();
  }
  quit(): void {
    const event = new Refusable();
    this.emit('before-quit', event);
    this.ended = !event.refused;
  }
}

/** A core whose calls are recorded, and whose state the test sets. */
export class FakeCore {
  readonly calls: { method: MethodName; input: unknown }[] = [];
  readonly stops: (() => void)[] = [];
  runs: Run[] = [];
  answer: (method: MethodName, input: unknown) => unknown = () => null;
  report: (state: CoreState) => void = () => undefined;
  connection: (state: ConnectionState) => void = () => undefined;
  emit: (event: CoreEvent) => void = () => undefined;
  home = '/data';
  readonly client: Client;
  constructor() {
    const transport: Transport = {
      call: (method, input) => {
        this.calls.push({ method, input });
        if (method === 'runs.list') return Promise.resolve(this.runs);
        return Promise.resolve().then(() => this.answer(method, input));
      },
      subscribe: (listener) => {
        this.emit = listener;
        return () => undefined;
      },
    };
    this.client = createClient(transport);
  }
  /** What has been asked, without what every connection begins with. */
  asked(): string[] {
    return this.calls
      .filter(({ method }) => method !== 'runs.list')
      .map(({ method, input }) => `${method} ${JSON.stringify(input)}`);
  }
}

type Handler = Parameters<IpcMain['handle']>[1];

export interface FakeShell {
  readonly parts: ShellParts;
  readonly app: FakeApp;
  readonly core: FakeCore;
  readonly power: EventEmitter;
  /** What happened, in order. */
  readonly steps: string[];
  readonly schemes: CustomScheme[];
  readonly questions: MessageBoxOptions[];
  /** Numbers of the buttons that the person will press, in order. */
  readonly presses: number[];
  readonly notices: { notice: RunNotice; click: () => void }[];
  readonly trays: FakeTray[];
  readonly menus: MenuItemConstructorOptions[][];
  readonly copied: string[];
  readonly shownInFolder: string[];
  readonly blockers: Set<number>;
  readonly timers: { work: () => void; milliseconds: number }[];
  readonly logged: string[];
  readonly session: GuardedSession & {
    request: Parameters<GuardedSession['setPermissionRequestHandler']>[0];
    check: Parameters<GuardedSession['setPermissionCheckHandler']>[0];
    device: Parameters<GuardedSession['setDevicePermissionHandler']>[0];
  };
  save: SaveDialogReturnValue;
  open: OpenDialogReturnValue;
  window(): FakeWindow;
  /** Calls what answers an IPC channel, as that frame. */
  invoke(
    channel: string,
    input: unknown,
    senderFrame?: { url: string; parent: unknown } | null,
  ): Promise<unknown>;
  /** Asks the scheme's handler. */
  fetch(url: string): Promise<Response>;
  terminate(): void;
  start(): Promise<void>;
  /** The core serves, and the shell's connection stands. */
  serve(): Promise<void>;
  remove(): void;
}

/** Lets everything that waits only on promises happen. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const ownFrame = { url: 'app://switchyard/index.html', parent: null };

/** @param changes to the parts, for example other arguments of the start */
export function fakeShell(changes: Partial<ShellParts> = {}): FakeShell {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-shell-'));
  const steps: string[] = [];
  const app = new FakeApp(steps);
  const core = new FakeCore();
  const power = new EventEmitter();
  const handlers = new Map<string, Handler>();
  let window: FakeWindow | null = null;
  let page: ((request: Request) => Response | Promise<Response>) | null = null;
  let terminate = (): void => undefined;
  let blockers = 0;

  const session: FakeShell['session'] = {
    request: null,
    check: null,
    device: null,
    setPermissionRequestHandler: (handler) => void (session.request = handler),
    setPermissionCheckHandler: (handler) => void (session.check = handler),
    setDevicePermissionHandler: (handler) => void (session.device = handler),
  };

  const desktop: ShellDesktop = {
    protocol: {
      handle: (_scheme, handler) => {
        steps.push('protocol');
        page = handler;
      },
    },
    session,
    ipc: { handle: (channel, handler) => void handlers.set(channel, handler) },
    workAreas: [{ x: 0, y: 0, width: 1920, height: 1040 }],
    dark: true,
    createWindow: (options) => {
      steps.push('window');
      window = new FakeWindow(options);
      app.emit('web-contents-created', {}, window.webContents);
      return window;
    },
    createTray: (menu) => {
      const tray = new FakeTray(menu);
      shell.trays.push(tray);
      return tray;
    },
    setMenu: (template) => void shell.menus.push(template),
    ask: (options) => {
      shell.questions.push(options);
      const press = shell.presses.shift();
      // Nobody presses anything: the box stays open.
      return press === undefined ? new Promise(() => undefined) : Promise.resolve(press);
    },
    showOpenDialog: () => Promise.resolve(shell.open),
    showSaveDialog: () => Promise.resolve(shell.save),
    showItemInFolder: (path) => void shell.shownInFolder.push(path),
    openFolder: (path) => void steps.push(`open ${path}`),
    copy: (text) => void shell.copied.push(text),
    notify: (notice, click) => void shell.notices.push({ notice, click }),
  };

  const parts: ShellParts = {
    app,
    platform: 'linux',
    packaged: true,
    argv: ['switchyard'],
    cwd: folder,
    about: 'Switchyard 0.0.0',
    paths: {
      page: folder,
      preload: join(folder, 'preload.cjs'),
      icon: join(folder, 'icon.png'),
      windowState: join(folder, 'window.json'),
    },
    core: {
      start: (onState) => {
        steps.push('core');
        core.report = onState;
        return { stop: () => new Promise((resolve) => core.stops.push(resolve)) };
      },
      connect: (_address, onState) => {
        core.connection = onState;
        return { client: core.client, close: () => undefined };
      },
    },
    power,
    powerSaveBlocker: {
      start: () => {
        blockers += 1;
        shell.blockers.add(blockers);
        return blockers;
      },
      stop: (id) => shell.blockers.delete(id),
    },
    onTerminated: (listener) => void (terminate = listener),
    registerSchemes: (schemes) => {
      steps.push('schemes');
      shell.schemes.push(...schemes);
    },
    desktop: () => desktop,
    setTimeout: (work, milliseconds) => shell.timers.push({ work, milliseconds }),
    log: (line) => void shell.logged.push(line),
    ...changes,
  };

  const shell: FakeShell = {
    parts,
    app,
    core,
    power,
    steps,
    session,
    schemes: [],
    questions: [],
    presses: [],
    notices: [],
    trays: [],
    menus: [],
    copied: [],
    shownInFolder: [],
    blockers: new Set(),
    timers: [],
    logged: [],
    save: { canceled: true, filePath: '' },
    open: { canceled: true, filePaths: [] },
    window: () => {
      if (window === null) throw new Error('There is no window.');
      return window;
    },
    invoke: async (channel, input, senderFrame = ownFrame) => {
      const handler = handlers.get(channel);
      if (handler === undefined) throw new Error(`Nobody answers ${channel}.`);
      const event = { senderFrame } as unknown as Parameters<Handler>[0];
      return unpackAnswer((await handler(event, input)) as DesktopAnswer);
    },
    fetch: async (url) => {
      if (page === null) throw new Error('Nobody answers the scheme.');
      return page(new Request(url));
    },
    terminate: () => terminate(),
    start: () => startShell(parts),
    serve: async () => {
      core.report({ state: 'serving', port: 4321, token: 'secret' });
      core.connection({
        state: 'connected',
        hello: {
          instance: 'a',
          version: '0.0.0',
          home: core.home,
          platform: 'linux',
          sample: null,
          restarted: null,
        },
      });
      await settled();
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
  return shell;
}
