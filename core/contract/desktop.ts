/**
 * What the desktop shell offers to the page beyond a browser tab, through its preload script as
 * `window.switchyard`. Everything else goes over the socket, as in a tab.
 */

/** Commands of the native menu that the page carries out. */
export type MenuCommand =
  'new-run' | 'import' | 'show-runs' | 'show-data' | 'show-machine' | 'find' | 'shortcuts';

export interface DesktopBridge {
  /** As Node names it. */
  readonly platform: string;
  /** Where a dropped file lies on this machine. */
  pathForFile(file: unknown): string;
  /** The native open dialog for text files; empty when cancelled. */
  chooseTexts(): Promise<string[]>;
  /** The native save dialog; null when cancelled. */
  chooseSave(options: {
    title: string;
    name: string;
    kind: 'folder' | 'csv';
  }): Promise<string | null>;
  /** Opens the file manager at that path. Only paths that came from this session's dialogs or core. */
  showInFolder(path: string): Promise<void>;
  onMenu(listener: (command: MenuCommand) => void): () => void;
  /** Somebody clicked the notification about that run. */
  onShowRun(listener: (runId: string) => void): () => void;
}

/** IPC channels between preload script and main process. */
export const desktopChannels = {
  chooseTexts: 'switchyard:choose-texts',
  chooseSave: 'switchyard:choose-save',
  showInFolder: 'switchyard:show-in-folder',
  menu: 'switchyard:menu',
  showRun: 'switchyard:show-run',
} as const;

/** Origin and address of the page in the shell; its fragment carries `core=HOST:PORT&token=…`. */
export const appOrigin = 'app://switchyard';
