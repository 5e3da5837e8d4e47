/** The native menu. What the page does is sent to it; the rest are the system's own commands. */
import type { MenuItemConstructorOptions } from 'electron';
import type { MenuCommand } from '../core/contract/desktop.ts';

export interface MenuParts {
  readonly platform: string;
  /** Developer commands are only offered in a checkout. */
  readonly packaged: boolean;
  send(command: MenuCommand): void;
  openDataFolder(): void;
  quit(): void;
}

const separator: MenuItemConstructorOptions = { type: 'separator' };

export function menuTemplate(parts: MenuParts): MenuItemConstructorOptions[] {
  const mac = parts.platform === 'darwin';
  return [
    ...(mac ? [{ role: 'appMenu' as const }] : []),
    { label: '&File', submenu: fileMenu(parts, mac) },
    { role: 'editMenu' },
    { label: '&View', submenu: viewMenu(parts) },
    { role: 'windowMenu' },
    { role: 'help', submenu: helpMenu(parts, mac) },
  ];
}

function command(
  parts: MenuParts,
  label: string,
  name: MenuCommand,
  accelerator?: string,
): MenuItemConstructorOptions {
  return {
    label,
    click: () => parts.send(name),
    ...(accelerator === undefined ? {} : { accelerator }),
  };
}

function fileMenu(parts: MenuParts, mac: boolean): MenuItemConstructorOptions[] {
  return [
    command(parts, 'New run', 'new-run', 'CmdOrCtrl+N'),
    command(parts, 'Import text…', 'import', 'CmdOrCtrl+O'),
    separator,
    // On macOS the app's own menu has it.
    mac
      ? { role: 'close' }
      : { label: 'Quit', accelerator: 'CmdOrCtrl+Q', click: () => parts.quit() },
  ];
}

function viewMenu(parts: MenuParts): MenuItemConstructorOptions[] {
  const developer: MenuItemConstructorOptions[] = [separator, { role: 'toggleDevTools' }];
  return [
    command(parts, 'Runs', 'show-runs', 'CmdOrCtrl+1'),
    command(parts, 'Data', 'show-data', 'CmdOrCtrl+2'),
    command(parts, 'Machine', 'show-machine', 'CmdOrCtrl+3'),
    separator,
    command(parts, 'Find', 'find', 'CmdOrCtrl+F'),
    separator,
    { role: 'resetZoom' },
    { role: 'zoomIn' },
    { role: 'zoomOut' },
    separator,
    { role: 'togglefullscreen' },
    ...(parts.packaged ? [] : developer),
  ];
}

function helpMenu(parts: MenuParts, mac: boolean): MenuItemConstructorOptions[] {
  return [
    command(parts, 'Keyboard shortcuts', 'shortcuts'),
    { label: 'Open data folder', click: () => parts.openDataFolder() },
    ...(mac ? [] : [separator, { role: 'about' as const }]),
  ];
}
