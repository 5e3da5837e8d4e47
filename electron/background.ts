/** The app without its window: a tray icon brings it back or quits. */
import type { MenuItemConstructorOptions } from 'electron';

/** The part of Electron's `Tray` that is used here. */
export interface ShellTray {
  on(event: 'click', listener: () => void): unknown;
  destroy(): void;
}

export interface BackgroundParts {
  readonly window: {
    show(): void;
    hide(): void;
    focus(): void;
    restore(): void;
    isMinimized(): boolean;
  };
  createTray(menu: MenuItemConstructorOptions[]): ShellTray;
  quit(): void;
}

export interface Background {
  enter(): void;
  /** Shows and focuses the window, wherever it was. */
  leave(): void;
}

export function createBackground(parts: BackgroundParts): Background {
  const { window } = parts;
  let tray: ShellTray | null = null;
  const leave = (): void => {
    tray?.destroy();
    tray = null;
    if (window.isMinimized()) window.restore();
    window.show();
    window.focus();
  };
  return {
    enter: () => {
      window.hide();
      if (tray !== null) return;
      tray = parts.createTray([
        { label: 'Open Switchyard', click: leave },
        { type: 'separator' },
        { label: 'Quit…', click: () => parts.quit() },
      ]);
      tray.on('click', leave);
    },
    leave,
  };
}
