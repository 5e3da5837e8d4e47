/** The shell's entry, and the only file that holds Electron itself: it hands its parts to the shell. */
import {
  app,
  BrowserWindow,
  clipboard,
  dialog,
  ipcMain,
  Menu,
  nativeTheme,
  Notification,
  powerMonitor,
  powerSaveBlocker,
  protocol,
  screen,
  session,
  shell,
  Tray,
  type MenuItemConstructorOptions,
  type MessageBoxOptions,
} from 'electron';
import { mkdirSync, readFileSync } from 'node:fs';
import { arch, release } from 'node:os';
import { join } from 'node:path';
import { startSupervisor } from '../core/server/supervisor.ts';
import { connectToCore } from './coreConnection.ts';
import { locateCore } from './coreLocation.ts';
import { startShell, type ShellDesktop } from './shell.ts';

/** The checkout, or the app's archive; this file is bundled to dist/electron in it. */
const root = join(import.meta.dirname, '..', '..');
const icons = join(root, 'electron', 'icons');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string;
};

app.setName('Switchyard');
// Not the default, `Switchyard`: where case does not count, that is the core's data directory.
const userData = join(app.getPath('appData'), 'Switchyard Desktop');
mkdirSync(userData, { recursive: true });
app.setPath('userData', userData);
app.setAboutPanelOptions({ applicationName: 'Switchyard', applicationVersion: version });
// Windows names notifications and groups taskbar buttons by it; as in electron-builder.yml.
app.setAppUserModelId('org.switchyard.app');

const { node, entry } = locateCore({
  packaged: app.isPackaged,
  root,
  resources: process.resourcesPath,
  platform: process.platform,
  env: process.env,
});

// Not awaited: Electron only gets ready once this module has been evaluated.
startShell({
  app,
  platform: process.platform,
  packaged: app.isPackaged,
  argv: process.argv,
  cwd: process.cwd(),
  about: `Switchyard ${version}, Electron ${process.versions.electron}, ${process.platform} ${release()} ${arch()}`,
  paths: {
    page: join(root, 'dist', 'renderer'),
    preload: join(import.meta.dirname, 'preload.cjs'),
    icon: join(icons, 'icon.png'),
    windowState: join(userData, 'window.json'),
  },
  core: {
    start: (onState) => startSupervisor({ node, entry, onState }),
    connect: connectToCore,
  },
  power: powerMonitor,
  powerSaveBlocker,
  onTerminated: (listener) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, listener);
  },
  registerSchemes: (schemes) => protocol.registerSchemesAsPrivileged(schemes),
  desktop,
  setTimeout: (work, milliseconds) => setTimeout(work, milliseconds),
  log: (line) => console.error(line),
}).catch((error: unknown) => {
  console.error(error);
  app.exit(1);
});

function desktop(): ShellDesktop {
  return {
    protocol,
    session: session.defaultSession,
    ipc: ipcMain,
    workAreas: screen.getAllDisplays().map(({ workArea }) => workArea),
    dark: nativeTheme.shouldUseDarkColors,
    createWindow: (options) => new BrowserWindow(options),
    createTray,
    setMenu: (template) => Menu.setApplicationMenu(Menu.buildFromTemplate(template)),
    ask,
    showOpenDialog: (options) => {
      const parent = visibleWindow();
      return parent === undefined
        ? dialog.showOpenDialog(options)
        : dialog.showOpenDialog(parent, options);
    },
    showSaveDialog: (options) => {
      const parent = visibleWindow();
      return parent === undefined
        ? dialog.showSaveDialog(options)
        : dialog.showSaveDialog(parent, options);
    },
    showItemInFolder: (path) => shell.showItemInFolder(path),
    openFolder: (path) => {
      void shell.openPath(path);
    },
    copy: (text) => {
      void clipboard.writeText(text);
    },
    notify,
  };
}

/** Dialogs belong to the window where there is one to see. */
function visibleWindow() {
  return BrowserWindow.getAllWindows().find((window) => window.isVisible());
}

async function ask(options: MessageBoxOptions): Promise<number> {
  const parent = visibleWindow();
  const { response } =
    parent === undefined
      ? await dialog.showMessageBox(options)
      : await dialog.showMessageBox(parent, options);
  return response;
}

function createTray(menu: MenuItemConstructorOptions[]): Tray {
  // macOS colours template images itself, and finds the larger one by its name.
  const icon = process.platform === 'darwin' ? 'trayTemplate.png' : 'tray.png';
  const tray = new Tray(join(icons, icon));
  tray.setToolTip('Switchyard');
  tray.setContextMenu(Menu.buildFromTemplate(menu));
  return tray;
}

/** Notifications that are on the screen: without a reference their clicks would be lost. */
const shown = new Set<Notification>();

function notify({ title, body }: { title: string; body: string }, onClick: () => void): void {
  if (!Notification.isSupported()) return;
  const notification = new Notification({ title, body });
  const forget = (): void => void shown.delete(notification);
  shown.add(notification);
  notification.on('click', () => {
    forget();
    onClick();
  });
  notification.on('close', forget);
  notification.show();
}
